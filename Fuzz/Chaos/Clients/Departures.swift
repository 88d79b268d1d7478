// SPDX-License-Identifier: Apache-2.0

import JSONRPCOracle

/// How one client leaves.
struct Departure {
    enum Kind: String, CaseIterable {
        /// The request breaks off.
        case insideRequest = "inside a request"
        case insideInitialize = "inside initialize"
        /// The answer breaks off, as plain JSON and as a stream with progress.
        case insideAnswer = "inside an answer"
        case insideProgress = "inside a stream with progress"
        /// Several requests at once, of which the last may break off.
        case insideBurst = "inside a burst of calls"
        /// A call that is never answered.
        case whileWaiting = "while a call hangs"
        case halfClosed = "by a half-close while a call hangs"
        case insideSessionStream = "inside a session's stream"
        /// The answer with the session's id breaks off: nobody knows that session, and only time ends it.
        case insideInitializeAnswer = "inside the answer to initialize"
    }

    var kind = Kind.insideRequest
    /// Who leaves, as its labels name it.
    var client = 0
    var request: [UInt8] = []
    /// It leaves once it has read this much,
    var reads = 0
    /// or after this time.
    var patience: Duration = .milliseconds(200)
    /// Whether it closes its side behind the request.
    var finishesSending = false
}

/// Makes up the departures of a storm from its seed.
final class Departures {
    let endpoint: Endpoint
    private(set) var remaining: Int
    private(set) var counts: [Departure.Kind: Int] = [:]
    private let sessions: [String]
    private var random: SplitMix64
    private var number = 0

    /// The first label of a client that leaves; those that stay have smaller ones.
    private static let firstClient = 1_000

    init(_ count: Int, endpoint: Endpoint, sessions: [String], seed: UInt64) {
        remaining = count
        self.endpoint = endpoint
        self.sessions = sessions
        random = SplitMix64(seed: seed)
    }

    func count(_ kind: Departure.Kind) { counts[kind, default: 0] += 1 }

    func close() { remaining = 0 }

    func next() -> Departure? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        number += 1
        // Sessions that nobody knows are few, because each stays until its time is over.
        let kinds = Departure.Kind.allCases.dropLast()
        return make(random.once(in: 50) ? .insideInitializeAnswer : random.pick(Array(kinds)))
    }

    private func make(_ kind: Departure.Kind) -> Departure {
        var departure = Departure(kind: kind, client: Self.firstClient + number % 9_000)
        let session = random.pick(sessions)
        switch kind {
        case .insideRequest:
            departure.request = cut(request(departure.client, .echo, session))
        case .insideInitialize:
            departure.request = cut(endpoint.post(Endpoint.initialize))
        case .insideAnswer:
            departure.request = request(departure.client, .echo, session)
            departure.reads = random.below(320)
        case .insideProgress:
            departure.request = request(departure.client, .progress, session)
            departure.reads = random.below(1_600)
        case .insideBurst:
            let calls = (0..<(2 + random.below(6))).flatMap { _ in
                request(departure.client, random.once(in: 3) ? .progress : .echo, session)
            }
            departure.request = random.once(in: 2) ? calls : cut(calls)
            departure.reads = random.below(600)
            departure.patience = .milliseconds(random.below(50))
        case .whileWaiting, .halfClosed:
            departure.request = request(departure.client, .hang, session)
            departure.reads = 1
            // A half-closed one leaves when Lodge hangs up.
            departure.patience = .milliseconds(kind == .halfClosed ? 500 : random.below(30))
            departure.finishesSending = kind == .halfClosed
        case .insideSessionStream:
            departure.request = endpoint.stream(session: session)
            departure.reads = random.below(260)
            departure.patience = .milliseconds(20 + random.below(50))
        case .insideInitializeAnswer:
            departure.request = endpoint.post(Endpoint.initialize)
            departure.reads = random.below(200)
        }
        return departure
    }

    private func request(_ client: Int, _ tool: CalledTool, _ session: String) -> [UInt8] {
        let steps = tool == .progress ? 1 + random.below(6) : 0
        let call = Call(client: client, sequence: random.below(1_000_000), tool: tool, steps: steps)
        var body: [UInt8] = []
        call.appendMessage(to: &body)
        var request = endpoint.postHead(session: session)
        request.append(decimal: body.count)
        request.append("\r\n\r\n")
        return request + body
    }

    /// Anything from nothing to all but the last byte.
    private func cut(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.prefix(random.below(bytes.count))) }
}
