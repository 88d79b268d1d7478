// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Testing

@testable import BrokerCore

/// Drives a multiplexer with random clients and a random server, and knows what each of them may see.
final class RoutingModel {
    private static let ids = ["1", "2", "3", "\"1\"", "\"a\"", "1.0", "12345678901234567890123"]
    private static let tokens = ["1", "2", "\"1\"", "\"t\""]
    private static let uris = ["a:1", "a:2"]

    private let harness: MultiplexerHarness
    private let isShared: Bool
    private var random: SeededGenerator
    private var server = ModelServer()
    private var isUp = false
    private var calls: [ModelCall] = []
    private var inFlight: [Int] = []
    private var sessions: [UInt64] = []
    private var lastSession: UInt64 = 0
    private var streams: [UInt64: RecordingStream] = [:]
    private var allStreams: [RecordingStream] = []
    private var interest = ModelInterest()
    private(set) var crashes = 0

    init(isolation: Isolation, seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        isShared = isolation == .shared
        harness = isShared ? MultiplexerHarness() : try .readyForOneClient()
        for _ in 0..<(isShared ? 5 : 1) { openSession() }
        isUp = !isShared
    }

    var callCount: Int { calls.count }

    private func openSession() {
        lastSession += 1
        sessions.append(lastSession)
    }

    // MARK: Steps

    func step() throws {
        switch random.below(100) {
        case 0..<30: try call()
        case 30..<62: try answer()
        case 62..<70: try progress()
        case 70..<75: try cancel()
        case 75..<78: withdraw()
        case 78..<82: try stray()
        case 82..<85: harness.advance(by: .seconds(random.below(120)))
        case 85..<89: toggleStream()
        case 89..<93: try serverAsks()
        case 93..<96: try subscribe()
        case 96: try update()
        case 97: if isShared { endSession() }
        default: if isShared, random.once(in: 4) { crashOrStart() }
        }
        if isShared, !isUp, random.once(in: 10) { crashOrStart() }
        try settle()
    }

    /// Hands what was sent over to the server, and forgets calls that are over.
    private func settle() throws {
        for text in harness.takeSent() { try server.receive(text) }
        inFlight.removeAll { calls[$0].isFinished }
        interest.settle()
    }

    private func call() throws {
        guard let session = random.pick(sessions), let id = random.pick(Self.ids) else { return }
        let token = random.once(in: 2) ? random.pick(Self.tokens) : nil
        let name = "n\(calls.count)"
        let meta = token.map { #","_meta":{"progressToken":\#($0)}"# } ?? ""
        let sink = RecordingSink(acceptsStream: !random.once(in: 4))
        var call = ModelCall(session: session, id: id, token: token, name: name, sink: sink)
        call.ticket = try harness.request(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(name)"\#(meta)}}"#, session, sink)
        inFlight.append(calls.count)
        calls.append(call)
    }

    private func answer() throws {
        guard isUp, let request = server.takeRequest(&random) else { return }
        let name = request.name ?? ""
        let isRefused = random.once(in: request.method == "initialize" ? 6 : 10)
        let text: String
        switch request.method {
        case "initialize" where !isRefused:
            text = Sample.initializeAnswer(id: request.id, capabilities: #"{"tools":{"listChanged":true}}"#)
        case "resources/subscribe", "resources/unsubscribe": text = Sample.empty(id: request.id)
        case _ where isRefused:
            text =
                #"{"jsonrpc":"2.0","id":\#(request.id),"error":{"code":-1,"message":"","data":{"nonce":"\#(name)"}}}"#
        default: text = #"{"jsonrpc":"2.0","id":\#(request.id),"result":{"nonce":"\#(name)"}}"#
        }
        try harness.serve(text)
        if random.once(in: 20) { try harness.serve(text) }
    }

    private func progress() throws {
        guard isUp, let request = random.pick(server.open), request.method == "tools/call" else { return }
        try harness.serve(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(request.id),"#
                + #""progress":1,"message":"\#(request.name ?? "")"}}"#)
    }

    private func cancel() throws {
        guard let session = random.pick(sessions), let id = random.pick(Self.ids) else { return }
        try harness.notify(Sample.cancelled(id), session)
    }

    private func withdraw() {
        guard let index = random.pick(inFlight), let ticket = calls[index].ticket else { return }
        calls[index].wasWithdrawn = true
        harness.withdraw(ticket)
    }

    /// What no server should write: answers nobody asked for, or to guessed ids, and ids of other forms.
    private func stray() throws {
        guard isUp else { return }
        let known = server.open.map(\.id)
        let guess = "\(calls.count * 3 + random.below(50))"
        let quoted = known.first.map { "\"\($0)\"" } ?? "0"
        let id = random.pick(["null", "\"1\"", "-1", "1e3", "99999999999999999999", guess, quoted]) ?? guess
        try harness.serve(#"{"jsonrpc":"2.0","id":\#(id),"result":{"nonce":"stray"}}"#)
        try harness.serve(server.ask(id: known.first ?? "0"))
        try harness.serve(server.ask(id: "\"x\"", method: "ping"))
    }

    private func toggleStream() {
        guard let session = random.pick(sessions) else { return }
        if let stream = streams[session], random.once(in: 2) {
            harness.close(stream, session)
            streams[session] = nil
        } else {
            let stream = RecordingStream()
            streams[session] = stream
            allStreams.append(stream)
            harness.open(stream, session)
        }
    }

    private func endSession() {
        guard random.once(in: 3), let index = sessions.indices.randomElement(using: &random) else { return }
        let session = sessions.remove(at: index)
        streams[session] = nil
        interest.forget(session)
        harness.endSession(session)
        openSession()
    }

    private func crashOrStart() {
        if isUp {
            crashes += 1
            harness.end(retryIn: .seconds(1))
            isUp = false
        } else if random.once(in: 5) {
            harness.end(.notStarted("no"), retryIn: .seconds(1))
        } else {
            server.generationStarted()
            harness.start()
            isUp = true
        }
    }

    // MARK: Requests of the server

    private func serverAsks() throws {
        guard isUp else { return }
        if isShared {
            // It is refused under its own id, at once.
            try harness.serve(server.ask(&random))
            return
        }
        try harness.serve(server.ask(&random))
        let seen: [[String]] = calls.suffix(60).map(\.sink.messages) + allStreams.suffix(5).map(\.messages)
        guard let text = random.pick(seen.joined().filter { $0.contains("roots/list") }) else { return }
        let message = try ServerMessage.of(text)
        let name = try #require(message.string(message.envelope.name))
        let id = message.raw(message.envelope.id)
        // Often it was answered before; then it must not reach the server again.
        try harness.respond(#"{"jsonrpc":"2.0","id":\#(id),"result":{"nonce":"\#(name)"}}"#)
    }

    // MARK: Subscriptions

    private func subscribe() throws {
        guard isShared, let session = random.pick(sessions), let uri = random.pick(Self.uris) else { return }
        let sink = RecordingSink()
        let joins = random.once(in: 2)
        try harness.request(
            joins ? Sample.subscribe(id: "1", uri: uri) : Sample.unsubscribe(id: "1", uri: uri), session, sink)
        interest.noted(session, uri: uri, joins: joins, sink: sink)
    }

    private func update() throws {
        guard isShared, isUp, let uri = random.pick(Self.uris) else { return }
        let before = streams.mapValues(\.messages.count)
        try harness.serve(
            #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\#(uri)"}}"#)
        for (session, stream) in streams {
            let wasTold = stream.messages.count > before[session] ?? 0
            switch interest.of(session, uri: uri) {
            case .certain: #expect(wasTold, "session \(session) was not told of \(uri)")
            case .none: #expect(!wasTold, "session \(session) was told of \(uri)")
            case .open: break
            }
        }
    }

    // MARK: The end

    /// Lets everything come to its end, and checks all that was seen.
    func finish() throws {
        while !isUp { crashOrStart() }
        for _ in 0..<20_000 {
            try settle()
            if server.open.isEmpty { break }
            try answerAll()
        }
        try settle()
        for uri in Self.uris where sessions.contains(where: { interest.of($0, uri: uri) == .certain }) {
            #expect(server.subscribed.contains(uri), "the server was not asked for \(uri)")
        }
        harness.advance(by: .seconds(4000))
        for session in sessions where streams[session] == nil {
            let stream = RecordingStream()
            allStreams.append(stream)
            harness.open(stream, session)
        }
        #expect(harness.callsInFlight == 0)
        #expect(harness.isQuiet)
        for call in calls { try call.check() }
        try checkServerRequests()
    }

    private func answerAll() throws {
        while let request = server.takeRequest(&random) {
            let name = request.name ?? ""
            try harness.serve(
                request.method == "initialize"
                    ? Sample.initializeAnswer(id: request.id)
                    : #"{"jsonrpc":"2.0","id":\#(request.id),"result":{"nonce":"\#(name)"}}"#)
        }
    }

    /// No request of the server was seen twice, and in shared isolation none at all.
    private func checkServerRequests() throws {
        let seen: [[String]] = calls.map(\.sink.messages) + allStreams.map(\.messages)
        let texts = seen.joined().filter { $0.contains("roots/list") }
        if isShared { #expect(texts.isEmpty) }
        #expect(Set(texts).count == texts.count, "a request of the server was seen twice")
    }
}
