// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a run was asked to do. A word that it does not know ends the program with status 2.
struct ChaosOptions {
    static let usage = """
        usage: lodge-chaos [--phase calls|disconnects|kills|broker]… [--calls N] [--disconnects N] [--kills N]
                           [--broker-kills N] [--seed N] [--seconds N] [--self-test]
        All phases run unless some are named. --seconds bounds the whole run; what was not done then is said.
        --self-test shows in a second that answers given to the wrong client are found.
        A seed repeats what the clients do, and not when the kernel lets them.
        """
    static let phaseNames = [CallsPhase.name, DisconnectsPhase.name, KillsPhase.name, BrokerPhase.name]

    var phases: [String] = []
    var calls: Int
    var disconnects: Int
    var kills: Int
    var brokerKills: Int
    var seed: UInt64
    var time: Duration?
    var isSelfTest: Bool

    init(_ words: some Sequence<String>) {
        var options = CommandLineOptions(words)
        if options.takeFlag("help") {
            Descriptor.standardError.print(Self.usage)
            ProcessState.exit(0)
        }
        while let phase = options.takeValue("phase") {
            guard Self.phaseNames.contains(phase) else {
                let names = Self.phaseNames.joined(separator: ", ")
                CommandLineOptions.refuse("unknown phase '\(phase)'; the phases are \(names)")
            }
            phases.append(phase)
        }
        if phases.isEmpty { phases = Self.phaseNames }
        calls = options.takeNumber("calls") ?? 10_000_000
        disconnects = options.takeNumber("disconnects") ?? 10_000
        kills = options.takeNumber("kills") ?? 1_000
        brokerKills = options.takeNumber("broker-kills") ?? 20
        seed = options.takeNumber("seed").map(UInt64.init) ?? UInt64(UInt32.random(in: .min ... .max))
        time = options.takeNumber("seconds").map { .seconds($0) }
        isSelfTest = options.takeFlag("self-test")
        options.finish()
    }
}
