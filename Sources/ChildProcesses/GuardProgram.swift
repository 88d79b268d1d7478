// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Glibc

/// What the guard process runs: it waits for Lodge to be gone and then ends every tree that is still in its ledger.
///
/// It is Lodge's own program under another name, in a session of its own and deaf to the signals that end Lodge. The
/// `lodge` executable calls it before anything else.
package enum GuardProgram {
    /// The name, as the program's first argument, under which an executable must become the guard.
    package static let name = "lodge-guard"
    /// All that the program is started with. Lodge's pid comes second, since a guard that lost it cannot ask for it.
    static var arguments: [String] { [name, "\(getpid())"] }
    /// What a tree is given between SIGTERM and SIGKILL.
    private static let grace: Duration = .milliseconds(500)
    /// After which the guard gives up on what the kernel does not let go of.
    private static let limit: Duration = .seconds(30)

    /// Answers whether the arguments of this process ask for the guard.
    package static func isWanted(arguments: [String]) -> Bool { arguments.first == name }

    /// Runs the guard on its standard input, and answers the exit status: 1 if something outlived it.
    package static func main() -> Int32 {
        // Sound: the text lives until the call returns.
        unsafe cps_become_guard(name)
        let ledger = readLedger()
        if ledger.groups.isEmpty { return 0 }
        return sweep(ledger) ? 0 : 1
    }

    private static func readLedger() -> GuardLedger {
        var ledger = GuardLedger()
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // Sound: read(2) writes at most `count` bytes into the buffer.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                ledger.take(buffer[..<count])
            } else if count == 0 || errno != EINTR {
                return ledger
            }
        }
    }

    private static func sweep(_ ledger: GuardLedger) -> Bool {
        let pipes = Array(ledger.pipes.values)
        // Lodge kept each child's group number from being used again until now, but not beyond.
        let tree = ProcessTree(
            markers: Set(ledger.groups.keys), groups: Set(ledger.groups.values.compactMap(\.self)),
            groupsEnd: ProcessTable.now(), pipes: pipes)
        var search = PipeSearch(pipes, besides: tree, lodge: livingLodge ?? getpid())
        var sweep = TreeSweep(tree)
        sweep.terminate(grace: grace, at: MonotonicTime.now())
        let beginning = MonotonicTime.now()
        while MonotonicTime.now() - beginning < limit {
            var snapshot = ProcessTable.snapshot()
            search.complete(&snapshot)
            for action in sweep.observe(snapshot, rootHasExited: true, at: MonotonicTime.now()) {
                switch action {
                case .signal(let identity, let signal): StrangerSignal.send(signal, to: identity)
                case .scan(let delay): pause(delay)
                case .gone: return true
                case .stuck: continue
                }
            }
        }
        return false
    }

    /// Lodge's pid if it lives, as when it has let the guard go: what it is just starting must be left alone.
    ///
    /// Once Lodge is gone, whoever holds a pipe is to be ended, and parents say nothing.
    private static var livingLodge: pid_t? {
        CommandLine.arguments.dropFirst().first.flatMap { pid_t($0) }.flatMap { $0 == getppid() ? $0 : nil }
    }

    private static func pause(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        // Sound: `time` is a local. The guard ignores every signal, so the pause is not cut short.
        unsafe nanosleep(&time, nil)
    }
}
