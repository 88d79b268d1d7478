// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("terminal")
struct TerminalTests {
    /// Both sides of a new pseudo terminal that is nobody's controlling terminal.
    private func openTerminal() throws -> (master: Int32, slave: Int32) {
        let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(master >= 0)
        // TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>: the Glibc module hides them and what is built on them.
        var lock: Int32 = 0
        var number: Int32 = -1
        try #require(unsafe ioctl(master, 0x4004_5431, &lock) == 0)
        try #require(unsafe ioctl(master, 0x8004_5430, &number) == 0)
        let slave = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(slave >= 0)
        return (master, slave)
    }

    private func localFlags(of terminal: Int32) throws -> tcflag_t {
        var settings = termios()
        try #require(unsafe tcgetattr(terminal, &settings) == 0)
        return settings.c_lflag
    }

    @Test("what an agent did to the terminal's settings is undone")
    func restore() throws {
        let (master, slave) = try openTerminal()
        defer {
            close(master)
            close(slave)
        }
        let before = try localFlags(of: slave)
        let modes = try #require(TerminalModes(of: slave))
        var raw = termios()
        try #require(unsafe tcgetattr(slave, &raw) == 0)
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        try #require(unsafe tcsetattr(slave, TCSANOW, &raw) == 0)
        #expect(try localFlags(of: slave) != before)
        modes.restore()
        #expect(try localFlags(of: slave) == before)
    }

    @Test("a descriptor that is no terminal has no settings")
    func noTerminal() throws {
        let pipe = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        defer { close(pipe) }
        #expect(TerminalModes(of: pipe) == nil)
    }

    @Test("an agent on a terminal shares Lodge's group, another has its own")
    func group() {
        #expect(ChildSpecification.Group.forInheritedStreams(onTerminal: true) == .shared)
        #expect(ChildSpecification.Group.forInheritedStreams(onTerminal: false) == .own)
    }
}
