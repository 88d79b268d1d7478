// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Shows that the checks of this program catch what they are for: a server mixes up calls, and every case is found.
enum SelfTest {
    private static let calls = 5_000
    private static let clients = 16

    /// Answers the exit status.
    static func run(_ products: Products, seed: UInt64) -> Int {
        let findings = Findings(seed: seed, isQuiet: true)
        let stage = Stage(products: products, findings: findings, seed: seed, deadline: .now + .seconds(60))
        let work = Workload(calls: calls, tools: [.echo, .progress], findings: findings, seed: seed)
        stage.withLodge(server: stage.shuffledServer + ["--swap"], warmUp: clients) { lodge, _ in
            try stage.withSessions(clients, at: lodge.endpoint) { sessions in
                Storm.run(
                    sessions.enumerated().map {
                        Client(number: $0.offset, session: $0.element, endpoint: lodge.endpoint, workload: work)
                    }
                ) { _ in if stage.isOver { work.close() } }
            }
        }
        let found = findings.total("answers to the wrong client")
        products.clean()
        // Each call is right or reported; a mix-up concerns two clients.
        let isSound = found > 1 && work.answered + findings.violations == calls
        Descriptor.standardOutput.print(
            "self-test \(isSound ? "passed" : "FAILED"): of \(calls) calls, \(work.answered) were right, "
                + "\(found) got another client's answer, \(findings.violations) were reported")
        return isSound ? 0 : 1
    }
}
