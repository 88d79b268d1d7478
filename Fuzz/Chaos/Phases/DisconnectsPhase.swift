// SPDX-License-Identifier: Apache-2.0

/// Clients that vanish by RST at any byte, beside others that go on: nothing of those that left may stay.
struct DisconnectsPhase {
    static let name = "disconnects"
    /// Clients that go on with checked calls.
    private static let steady = 8
    /// Clients that come and vanish at the same time, and the sessions that they share.
    private static let vanishing = 32
    private static let sharedSessions = 16

    let stage: Stage
    let disconnects: Int

    func run() {
        let work = Workload(
            calls: .max, tools: [.echo, .progress], findings: stage.findings, seed: stage.seed)
        stage.withLodge(server: stage.shuffledServer, warmUp: Self.steady + Self.vanishing) { lodge, baseline in
            var unknown = 0
            try stage.withSessions(Self.steady + Self.sharedSessions, at: lodge.endpoint) { sessions in
                let departures = storm(work, lodge, sessions)
                unknown = departures.counts[.insideInitializeAnswer] ?? 0
                try checkHanging(lodge, sessions[0])
                report(departures)
            }
            baseline.unknownSessions = unknown
        }
        stage.count(work)
    }

    private func storm(_ work: Workload, _ lodge: RunningLodge, _ sessions: [String]) -> Departures {
        let departures = Departures(
            disconnects, endpoint: lodge.endpoint, sessions: Array(sessions[Self.steady...]), seed: stage.seed)
        let clients = sessions[..<Self.steady].enumerated().map {
            Client(number: $0.offset, session: $0.element, endpoint: lodge.endpoint, workload: work)
        }
        let vanishers = (0..<Self.vanishing).map { _ in Vanisher(departures, findings: stage.findings) }
        var teller = ProgressTeller(stage.findings, what: "disconnects", total: disconnects)
        Storm.run(clients + vanishers) { now in
            teller.tell(disconnects - departures.remaining, now: now)
            if stage.isOver { departures.close() }
            if vanishers.allSatisfy(\.isFinished) { work.close() }
        }
        return departures
    }

    /// The server was told of every call that nobody waits for any more.
    private func checkHanging(_ lodge: RunningLodge, _ session: String) throws {
        let connection = try Conversation(lodge.endpoint)
        defer { connection.close() }
        let end = ContinuousClock.now + RunningLodge.patience
        var text = ""
        repeat {
            text = String(decoding: try connection.call("hanging", session: session), as: UTF8.self)
            if text.contains(#""text":"0""#) { return }
        } while ContinuousClock.now < end && !Interruption.isAsked
        stage.findings.violation("calls that nobody waits for were not cancelled: \(text)")
    }

    private func report(_ departures: Departures) {
        for kind in Departure.Kind.allCases {
            stage.findings.count("left \(kind.rawValue)", departures.counts[kind] ?? 0)
        }
        let done = departures.counts.values.reduce(0, +)
        if done < disconnects { stage.findings.note("disconnects wanted", Findings.grouped(disconnects)) }
    }
}
