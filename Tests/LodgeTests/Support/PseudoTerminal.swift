// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation

/// A program on a terminal of its own, in a session of its own, and the keys that a person would press.
final class PseudoTerminal: Sendable {
    let child: ChildProcess
    /// What the program wrote, in lines.
    let screen = LogLines()
    private let keys: FileHandle

    /// Starts a program as the leader of the terminal's session, in its foreground.
    init(_ command: [String], environment: [String: String], workingDirectory: String) throws {
        let main = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>: the Glibc module hides them and what is built on them.
        var (lock, number): (Int32, Int32) = (0, -1)
        guard main >= 0, unsafe ioctl(main, 0x4004_5431, &lock) == 0, unsafe ioctl(main, 0x8004_5430, &number) == 0
        else { throw LodgeProcessError("no pseudo terminal: error \(errno)") }
        keys = FileHandle(fileDescriptor: main, closeOnDealloc: true)
        // The first terminal that the leader of a session opens becomes the session's.
        child = try ChildProcess.spawn(
            ChildSpecification(
                executable: "/bin/sh",
                arguments: [
                    "-c", #"exec <>"$0" >&0 2>&0; exec "$@""#, "/dev/pts/\(number)",
                    "/usr/bin/env", "-u", ProcessMarker.variable,
                ] + command,
                environment: environment, workingDirectory: workingDirectory, group: .session))
        let reading = fcntl(main, F_DUPFD_CLOEXEC, 3)
        Thread.detachNewThread { [screen] in
            LineSource(reading).forEach { screen.append($0.trimmingCharacters(in: .newlines)) }
        }
    }

    /// Types a text; `^C` is "\u{3}", `^Z` "\u{1A}", `^\` "\u{1C}".
    func type(_ text: String) { keys.write(Data(text.utf8)) }

    /// The terminal's settings that an agent is likely to change.
    var localFlags: tcflag_t {
        var settings = termios()
        // Sound: `settings` is a local that the call fills.
        _ = unsafe tcgetattr(keys.fileDescriptor, &settings)
        return settings.c_lflag
    }
}
