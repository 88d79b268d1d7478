// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What every phase needs: the programs, where to tell what it finds, its seed and its time.
struct Stage {
    let products: Products
    let findings: Findings
    let seed: UInt64
    /// When the phase ends, done or not.
    let deadline: ContinuousClock.Instant

    var isOver: Bool { ContinuousClock.now >= deadline || Interruption.isAsked }

    /// The command of the server that answers in any order.
    var shuffledServer: [String] { [products.chaos, "shuffled-server", "\(seed)"] }

    /// Starts a lodge, warms it up, lets the body use it, and checks that it is as before and ends in order.
    func withLodge(
        _ flags: [String] = [], server: [String], warmUp connections: Int,
        _ body: (RunningLodge, inout Baseline) throws -> Void
    ) {
        do {
            let lodge = try RunningLodge(products, flags: flags, server: server)
            do {
                try lodge.waitUntilReady()
                var baseline = try Baseline(lodge, warmUp: connections)
                try body(lodge, &baseline)
                // Clients that were interrupted have left nothing in order.
                if Interruption.isAsked { return lodge.kill() }
                try baseline.compare(with: lodge, findings)
                for problem in lodge.stop() { findings.violation(problem) }
            } catch {
                // An interruption from the terminal reaches lodge too.
                if Interruption.isAsked { return lodge.kill() }
                findings.violation("\(error); lodge's log is \(lodge.log)")
                lodge.kill()
            }
        } catch {
            findings.violation("\(error)")
        }
    }

    /// Opens sessions for the body and ends them behind it.
    func withSessions(_ count: Int, at endpoint: Endpoint, _ body: ([String]) throws -> Void) throws {
        let connection = try Conversation(endpoint)
        let sessions = try (0..<count).map { _ in try connection.openSession() }
        connection.close()
        try body(sessions)
        let last = try Conversation(endpoint)
        defer { last.close() }
        for session in sessions { try last.endSession(session) }
    }

    /// Counts what a workload brought, under the current phase.
    func count(_ work: Workload) {
        findings.count("calls", work.made)
        findings.count("answers checked", work.answered + work.forged + work.failures.values.reduce(0, +))
        findings.count("answers to the wrong client", 0)
        if work.forged > 0 { findings.count("answers forged by the hostile server", work.forged) }
        for (reason, number) in work.failures.sorted(by: { $0.key < $1.key }) {
            findings.count("failed with reason '\(reason)'", number)
        }
    }
}
