// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// `sleeper [--detach] [--pid-file FILE] [--seconds N]`: a process that does nothing and does not go away when asked.
///
/// With `--detach` it starts another one like it and ends, so that the other has lost its parent. It ends by itself
/// after ten minutes, lest a failed test leaves it behind for good.
enum SleeperMode {
    static func run(_ options: CommandLineOptions) {
        var options = options
        let pidFile = options.takeValue("pid-file")
        let seconds = options.takeNumber("seconds") ?? 600
        let detaches = options.takeFlag("detach")
        options.finish()
        do throws(SystemError) {
            if detaches {
                let place = pidFile.map { ["--pid-file", $0] } ?? []
                _ = try ProcessState.spawnItself(["sleeper", "--seconds", "\(seconds)"] + place)
                return
            }
            ProcessState.leaveSession()
            for signal in [SIGTERM, SIGHUP, SIGINT] { ProcessState.ignore(signal) }
            if let pidFile { try StateFile.write(ProcessState.identifier, to: pidFile) }
        } catch {
            CommandLineOptions.refuse(error.description)
        }
        // Not by an alarm: that would be one signal more to get rid of it.
        for _ in 0..<seconds { ProcessState.sleep(milliseconds: 1_000) }
    }
}
