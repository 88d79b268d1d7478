// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import Synchronization
import Testing

/// A program on a terminal of its own, in a session of its own, and the keys that a person would press.
final class PseudoTerminal: Sendable {
    private let child: ChildProcess
    /// What the program wrote, in lines.
    let screen = LogLines()
    /// Lodge's side; nil once hung up.
    private let keys: Mutex<FileHandle?>

    /// Starts a program as the leader of the terminal's session, in its foreground.
    ///
    /// - Parameter readsUntil: a line after which nothing is read any more, so that the terminal can be hung up.
    init(_ command: [String], in scratch: ScratchDirectory, readsUntil: String? = nil) throws {
        var environment = BuiltEnvironment.build(parent: ProcessInfo.processInfo.environment)
        environment["HOME"] = try scratch.directory("home")
        environment["TMPDIR"] = try scratch.directory("tmp")
        let main = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>: the Glibc module hides them and what is built on them.
        var (lock, number): (Int32, Int32) = (0, -1)
        guard main >= 0, unsafe ioctl(main, 0x4004_5431, &lock) == 0, unsafe ioctl(main, 0x8004_5430, &number) == 0
        else { throw LodgeProcessError("no pseudo terminal: error \(errno)") }
        keys = Mutex(FileHandle(fileDescriptor: main, closeOnDealloc: true))
        // The first terminal that the leader of a session opens becomes the session's.
        child = try ChildProcess.spawn(
            ChildSpecification(
                executable: "/bin/sh",
                arguments: [
                    "-c", #"exec <>"$0" >&0 2>&0; exec "$@""#, "/dev/pts/\(number)",
                    "/usr/bin/env", "-u", ProcessMarker.variable,
                ] + command,
                environment: environment, workingDirectory: scratch.path, group: .session))
        let reading = fcntl(main, F_DUPFD_CLOEXEC, 3)
        Thread.detachNewThread { [screen] in
            for line in LineSource(reading) {
                screen.append(line.trimmingCharacters(in: .newlines))
                if let readsUntil, line.contains(readsUntil) { return }
            }
        }
    }

    deinit {
        // A test that failed half-way; the program's children lose their terminal, and Lodge has its guard.
        child.send(SIGKILL)
    }

    /// Sends a signal to the program alone.
    func send(_ signal: Int32) { child.send(signal) }

    var family: ProcessFamily { ProcessFamily(of: child.pid) }

    /// Types a text; Ctrl-C is U+0003, Ctrl-Z U+001A, Ctrl-\ U+001C.
    func type(_ text: String) { keys.withLock { $0?.write(Data(text.utf8)) } }

    /// Ends the connection to the terminal.
    func hangUp() { keys.withLock { $0 = nil } }

    /// Waits for the program's end, checks that of those who ran before nobody is left, and answers its status.
    func finish(after family: ProcessFamily, sourceLocation: SourceLocation = #_sourceLocation) async -> Int32 {
        let status = await withTaskCancellationHandler {
            await child.waitForExit()
        } onCancel: {
            child.send(SIGKILL)
        }
        let left = family.survivors
        #expect(left.isEmpty, "processes outlived lodge", sourceLocation: sourceLocation)
        for process in left { process.kill() }
        await child.waitForEnd()
        return status.shellStatus
    }

    /// The terminal's settings that an agent is likely to change.
    var localFlags: tcflag_t {
        var settings = termios()
        // Sound: `settings` is a local that the call fills.
        keys.withLock { _ = unsafe tcgetattr($0?.fileDescriptor ?? -1, &settings) }
        return settings.c_lflag
    }
}
