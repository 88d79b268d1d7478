// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The line settings of a terminal, kept while an agent may change them.
///
/// An agent that is killed cannot put its terminal back in order; whoever launched it does so with this.
package struct TerminalModes: Sendable {
    private let descriptor: Int32
    private let settings: termios

    /// Answers whether any standard stream of this process is a terminal.
    package static var hasTerminal: Bool { (0...2).contains { isatty($0) == 1 } }

    /// Captures the settings of a descriptor's terminal; nil if it is none. The descriptor stays the caller's.
    package init?(of descriptor: Int32 = STDIN_FILENO) {
        var settings = termios()
        // Sound: `settings` is a local that the call fills.
        guard unsafe tcgetattr(descriptor, &settings) == 0 else { return nil }
        self.descriptor = descriptor
        self.settings = settings
    }

    /// Puts the settings back, also from the background.
    package func restore() {
        var settings = settings
        var blocked = sigset_t()
        var before = sigset_t()
        // Sound: all three are locals. SIGTTOU is blocked on this thread only, and only while tcsetattr would raise it.
        unsafe sigemptyset(&blocked)
        unsafe sigaddset(&blocked, SIGTTOU)
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before)
        unsafe tcsetattr(descriptor, TCSADRAIN, &settings)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
