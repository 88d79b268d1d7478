// SPDX-License-Identifier: Apache-2.0

import Glibc

extension SpawnError {
    /// Makes the error for an errno that the system answered while a program was being started.
    ///
    /// - Parameter path: the file that was found for the program; it did exist a moment ago, so ENOENT speaks of what
    ///   that file needs (execve(2)).
    init(systemError: Int32, starting program: String, at path: String) {
        switch systemError {
        case ENOENT:
            self.init(
                .notExecutable, starting: program,
                "the interpreter or loader of '\(path)' is missing; check its first line or install what it names")
        case ENOEXEC:
            self.init(
                .notExecutable, starting: program,
                "'\(path)' is no program for this machine and has no '#!' line; add one or start its interpreter")
        case EACCES, EPERM:
            self.init(
                .notExecutable, starting: program,
                "the system does not let '\(path)' be run; check its permissions and its mount options")
        case E2BIG:
            self.init(
                .badSpecification, starting: program, "its arguments and environment are too long; shorten them")
        case EMFILE, ENFILE:
            self.init(.exhausted, starting: program, "no file descriptor is free; raise 'ulimit -n'")
        case EAGAIN, ENOMEM:
            self.init(
                .exhausted, starting: program,
                "the system has no room for another process; raise 'ulimit -u' or free memory")
        case ENOSYS:
            self.init(.unsupported, starting: program, "this kernel has no pidfd; use Linux 5.4 or newer")
        default:
            self.init(
                .failed, starting: program,
                "the system refused with error \(systemError) (\(Self.text(of: systemError)))")
        }
    }

    private static func text(of systemError: Int32) -> String {
        // Sound: strerror answers a terminated text that is copied at once.
        guard let text = unsafe strerror(systemError) else { return "no text" }
        return unsafe String(cString: text)
    }
}
