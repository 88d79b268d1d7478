// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation

/// The terminal that Lodge and its agent are used from, as it was before the agent.
struct TerminalInUse: Sendable {
    private let descriptor: Int32
    private let modes: TerminalModes?

    /// Nil where no standard stream is a terminal.
    init?() {
        guard let descriptor = (STDIN_FILENO...STDERR_FILENO).first(where: { isatty($0) == 1 }) else { return nil }
        self.descriptor = descriptor
        modes = TerminalModes(of: descriptor)
    }

    /// Undoes what the agent did to the terminal's settings, unless they are somebody else's by now.
    func restore() {
        // In the background, the settings are those of the shell that has the terminal.
        if tcgetpgrp(descriptor) == getpgrp() { modes?.restore() }
    }
}
