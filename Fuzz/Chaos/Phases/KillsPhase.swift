// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The server is killed under load, a thousand times: each call gets one answer in time, and lodge loses nothing.
struct KillsPhase {
    static let name = "kills"
    private static let clients = 64
    /// Lodge's own limit for a call; nothing here takes that long unless it was forgotten.
    private static let callTimeout: Duration = .seconds(10)

    /// Each says that the server ended or had not started; that a call timed out would mean that it was forgotten.
    private static let reasons: Set = [
        "exited", "closed-output", "handshake-failed", "not-reading", "not-started", "starting",
    ]

    let stage: Stage
    let kills: Int

    func run() {
        let work = Workload(
            calls: .max, tools: [.echo, .progress], findings: stage.findings, seed: stage.seed,
            limit: Self.callTimeout + .seconds(5), acceptedReasons: Self.reasons)
        let flags = ["--call-timeout", "10"]
        stage.withLodge(flags, server: stage.shuffledServer, warmUp: Self.clients) { lodge, _ in
            try stage.withSessions(Self.clients, at: lodge.endpoint) { sessions in
                let killer = storm(work, lodge, sessions)
                try checkRecovery(lodge, sessions[0])
                try report(killer, work, lodge)
            }
        }
        stage.count(work)
        if work.answered == 0 { stage.findings.violation("no call was answered by the server between two kills") }
    }

    private func storm(_ work: Workload, _ lodge: RunningLodge, _ sessions: [String]) -> Killer {
        var killer = Killer(lodge, kills: kills, seed: stage.seed)
        let clients = sessions.enumerated().map {
            Client(number: $0.offset, session: $0.element, endpoint: lodge.endpoint, workload: work)
        }
        var teller = ProgressTeller(stage.findings, what: "kills", total: kills)
        Storm.run(clients) { now in
            killer.step(now: now)
            teller.tell(killer.killed.count, now: now)
            if killer.isDone || stage.isOver { work.close() }
        }
        return killer
    }

    /// The sessions go on over the last new server.
    private func checkRecovery(_ lodge: RunningLodge, _ session: String) throws {
        let connection = try Conversation(lodge.endpoint)
        defer { connection.close() }
        let end = ContinuousClock.now + RunningLodge.patience
        while ContinuousClock.now < end {
            let answer = String(decoding: try connection.call("hanging", session: session), as: UTF8.self)
            if answer.contains(#""text":"0""#) { return }
        }
        stage.findings.violation("after the last kill no call was answered")
    }

    private func report(_ killer: Killer, _ work: Workload, _ lodge: RunningLodge) throws {
        let findings = stage.findings
        if killer.isStuck { findings.violation("no new server came up within \(RunningLodge.patience)") }
        // The last one is collected once its whole tree was looked for.
        let end = ContinuousClock.now + RunningLodge.patience
        var remains = killer.remains
        while !remains.isEmpty, ContinuousClock.now < end {
            ProcessState.sleep(milliseconds: 20)
            remains = killer.remains
        }
        if !remains.isEmpty { findings.violation("\(remains.count) killed servers are not collected") }
        findings.count("servers killed", killer.killed.count)
        findings.note("restarts that lodge counted", Findings.grouped(try lodge.status().restarts))
        findings.note("longest call", "\(work.longest.wholeMilliseconds) ms")
        if killer.killed.count < kills { findings.note("kills wanted", Findings.grouped(kills)) }
    }
}
