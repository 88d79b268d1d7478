// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Violence against a built `lodge`, and a count of what it took: the program behind `make chaos`.
///
/// It looks at lodge from outside only: as its clients, as its servers, and through `/proc`. It exits with status 1 if
/// anything was lost, leaked or given to the wrong client. With `shuffled-server SEED` it is one of the servers.
@main
enum LodgeChaos {
    static func main() {
        ProcessState.ignoreBrokenPipes()
        let words = CommandLine.arguments.dropFirst()
        if words.first == "shuffled-server" {
            let seed = words.dropFirst().first.flatMap { UInt64($0) } ?? 0
            ShuffledServer.run(seed: seed, swaps: words.dropFirst(2).first == "--swap")
            return
        }
        let options = ChaosOptions(words)
        Interruption.watch()
        do throws(SystemError) {
            let products = try Products()
            ProcessState.exit(options.isSelfTest ? SelfTest.run(products, seed: options.seed) : run(options, products))
        } catch {
            CommandLineOptions.refuse(error.description)
        }
    }

    /// Answers the exit status.
    private static func run(_ options: ChaosOptions, _ products: Products) -> Int {
        let findings = Findings(seed: options.seed)
        findings.tell("seed \(options.seed)")
        let end = options.time.map { ContinuousClock.now + $0 }
        for (place, phase) in options.phases.enumerated() where !Interruption.isAsked {
            // What one phase leaves of its time goes to those behind it.
            let now = ContinuousClock.now
            let share = end.map { now + ($0 - now) / (options.phases.count - place) }
            findings.phase = phase
            let stage = Stage(
                products: products, findings: findings, seed: options.seed,
                deadline: share ?? now + .seconds(24 * 3_600))
            switch phase {
            case CallsPhase.name: CallsPhase(stage: stage, calls: options.calls).run()
            case DisconnectsPhase.name: DisconnectsPhase(stage: stage, disconnects: options.disconnects).run()
            case KillsPhase.name: KillsPhase(stage: stage, kills: options.kills).run()
            default: BrokerPhase(stage: stage, kills: options.brokerKills).run()
            }
        }
        Descriptor.standardOutput.print(findings.table)
        if Interruption.isAsked { findings.tell("interrupted") }
        if findings.violations == 0 { products.clean() } else { findings.tell("lodge's logs: \(products.scratch)") }
        return findings.violations == 0 && !Interruption.isAsked ? 0 : 1
    }
}
