// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc
import JSONRPCOracle

/// Kills a lodge's server again and again, each time another while after its start.
struct Killer {
    private(set) var killed: [ProcessEntry] = []
    /// Whether no further server came up in time.
    private(set) var isStuck = false

    private let lodge: RunningLodge
    private let wanted: Int
    private var random: SplitMix64
    private var target: (process: ProcessEntry, due: ContinuousClock.Instant)?
    private var nextLook = ContinuousClock.now
    private var lastSuccess = ContinuousClock.now

    init(_ lodge: RunningLodge, kills: Int, seed: UInt64) {
        self.lodge = lodge
        wanted = kills
        random = SplitMix64(seed: seed)
    }

    var isDone: Bool { killed.count >= wanted || isStuck }

    mutating func step(now: ContinuousClock.Instant) {
        guard !isDone else { return }
        if let target {
            guard now >= target.due else { return }
            kill(target.process.pid, SIGKILL)
            killed.append(target.process)
            self.target = nil
            lastSuccess = now
        } else if now >= nextLook {
            nextLook = now + .milliseconds(4)
            if let process = lodge.serverProcess, killed.last.map(process.isSame) != true {
                // A third die while they start, the others at work.
                let delay = random.once(in: 3) ? random.below(10) : random.below(100)
                target = (process, now + .milliseconds(delay))
            } else if lastSuccess.duration(to: now) > RunningLodge.patience {
                isStuck = true
            }
        }
    }

    /// What is left of the killed, be it to be collected.
    var remains: [ProcessEntry] {
        killed.filter { process in ProcessTable.entry(process.pid).map(process.isSame) == true }
    }
}
