// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Says how a child process ended.
///
/// A status other than zero is a normal result here, not an error.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// The program ended by itself with this status, 0 to 255.
    case exited(Int32)
    /// A signal ended the program.
    case signaled(Int32)
    /// Something else in this process collected the status, so nobody can say.
    ///
    /// Lodge itself waits for no child but by its own pidfd; this is what a foreign `wait` for any child leaves.
    case unknown

    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signaled(let signal): "signal \(signal)\(SignalName.of(signal).map { " (\($0))" } ?? "")"
        case .unknown: "an exit status that is not known"
        }
    }

    /// The status a shell would report: the program's own, or 128 and the signal.
    package var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .signaled(let signal): 128 + signal
        case .unknown: 255
        }
    }
}

/// The names people know signals by.
package enum SignalName {
    private static let names: [Int32: String] = [
        SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
        SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1",
        SIGSEGV: "SIGSEGV", SIGUSR2: "SIGUSR2", SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM",
        SIGCHLD: "SIGCHLD", SIGCONT: "SIGCONT", SIGSTOP: "SIGSTOP", SIGTSTP: "SIGTSTP", SIGTTIN: "SIGTTIN",
        SIGTTOU: "SIGTTOU", SIGURG: "SIGURG", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ", SIGVTALRM: "SIGVTALRM",
        SIGPROF: "SIGPROF", SIGWINCH: "SIGWINCH", SIGIO: "SIGIO", SIGSYS: "SIGSYS",
    ]

    /// Answers the name of a signal number, or nil for one without a name of its own.
    package static func of(_ signal: Int32) -> String? { names[signal] }
}
