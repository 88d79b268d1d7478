// SPDX-License-Identifier: Apache-2.0

/// Clients in great number on one server at a time, all with the same ids and tokens: nobody may get another's answer.
///
/// Most calls go to a server that answers in any order; a share goes to one that answers in order, to one that counts
/// what reaches it, to one that forges answers, tokens and cancellations, and to one whose answers have two ids.
struct CallsPhase {
    static let name = "calls"
    private static let clients = 64

    private struct Part {
        var name: String
        var server: [String]
        var calls: Int
        var tools: [CalledTool]
        var isHostile = false
        var counts = false
        var flags: [String] = []
        var acceptedReasons: Set<String> = []
    }

    let stage: Stage
    let calls: Int

    func run() {
        var done = 0
        let parts = parts.filter { $0.calls > 0 }
        for (number, part) in parts.enumerated() where !stage.isOver {
            let now = ContinuousClock.now
            let deadline = now + (stage.deadline - now) / (parts.count - number)
            done += run(part, seed: stage.seed &+ UInt64(number), until: deadline)
        }
        if done < calls { stage.findings.note("calls wanted", Findings.grouped(calls)) }
    }

    private var parts: [Part] {
        let fixture = stage.products.fixture
        // The counting server remembers every call, and the hostile one makes each a dozen messages.
        let counted = min(calls / 20, 50_000)
        let hostile = min(calls / 20, 100_000)
        let inOrder = calls / 10
        // Each of its answers carries two ids, that of the next call last; nobody can say whose it is.
        let doubtful = min(calls / 1_000, 256)
        return [
            Part(
                name: "shuffled server", server: stage.shuffledServer,
                calls: calls - counted - hostile - inOrder - doubtful,
                tools: [.echo, .progress]),
            Part(name: "echo server", server: [fixture, "echo"], calls: inOrder, tools: [.echo]),
            Part(
                name: "counting server", server: [fixture, "counting"], calls: counted, tools: [.hit, .progress],
                counts: true),
            Part(
                name: "hostile server", server: [fixture, "hostile"], calls: hostile, tools: [.echo],
                isHostile: true),
            Part(
                name: "server with two ids", server: [fixture, "hostile", "--calm", "--duplicate-id-member"],
                calls: doubtful, tools: [.echo], flags: ["--call-timeout", "1"],
                acceptedReasons: ["timed-out", "unusable-answer"]),
        ]
    }

    /// Answers how many calls were made.
    private func run(_ part: Part, seed: UInt64, until deadline: ContinuousClock.Instant) -> Int {
        let work = Workload(
            calls: part.calls, tools: part.tools, findings: stage.findings, seed: seed,
            acceptedReasons: part.acceptedReasons, isHostile: part.isHostile)
        stage.withLodge(part.flags, server: part.server, warmUp: Self.clients) { lodge, _ in
            try stage.withSessions(Self.clients, at: lodge.endpoint) { sessions in
                let clients = sessions.enumerated().map {
                    Client(number: $0.offset, session: $0.element, endpoint: lodge.endpoint, workload: work)
                }
                var teller = ProgressTeller(stage.findings, what: "calls, \(part.name)", total: part.calls)
                Storm.run(clients) { now in
                    teller.tell(work.made, now: now)
                    if now >= deadline || stage.isOver { work.close() }
                }
                let rate = Findings.grouped(teller.rate(work.made, now: .now))
                stage.findings.note("\(part.name)", "\(Findings.grouped(work.made)) at \(rate)/s")
                if part.counts, let session = sessions.first { try compareCount(work.made, lodge, session) }
            }
        }
        stage.count(work)
        return work.made
    }

    /// Every call reached the server once: it says itself how many there were.
    private func compareCount(_ made: Int, _ lodge: RunningLodge, _ session: String) throws {
        let connection = try Conversation(lodge.endpoint)
        defer { connection.close() }
        let answer = try connection.call("count", session: session)
        guard let match = String(decoding: answer, as: UTF8.self).firstMatch(of: #/"total":(\d+)/#) else {
            return stage.findings.violation("the counting server did not say how many calls came in")
        }
        if match.1 != "\(made)" { stage.findings.violation("of \(made) calls, \(match.1) reached the server") }
    }
}
