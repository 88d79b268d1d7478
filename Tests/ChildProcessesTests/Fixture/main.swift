// SPDX-License-Identifier: Apache-2.0

import ChildProcesses
import Dispatch
import Glibc

// A stand-in for `lodge` in the tests, for what can only be seen in a process of its own.
//   guarded SCRIPT   starts the script as a guarded child, tells the pids, and waits to be killed, or for the end of
//                    its standard input, upon which it ends in order
//   descriptors      tells how many descriptors it has open before and after many spawns
//   stops SCRIPT     starts the script as an agent with inherited streams and follows its stops
//   shared SCRIPT    starts the script in its own group, and at the end of its standard input sends
//                    SIGTERM to the script's part of it
if GuardProgram.isWanted(arguments: CommandLine.arguments) { exit(GuardProgram.main()) }

let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

/// Writes a line at once: print would hold it back, since the test reads from a pipe.
@Sendable func tell(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    // Sound: the call reads `count` bytes of a buffer that lives until it returns.
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

func shell(_ script: String) -> ChildSpecification {
    ChildSpecification(executable: "/bin/sh", arguments: ["-c", script], environment: environment)
}

func guarded(_ script: String) async throws {
    let guardian = GuardProcess { tell("problem \($0)") }
    let child = try ChildProcess.spawn(shell(script), guardedBy: guardian, standardError: tell)
    tell("guard \(guardian.pid ?? -1)")
    tell("child \(child.pid)")
    while readLine() != nil {}
    await child.teardown()
    await guardian.stop()
    tell("stopped")
}

func openDescriptors() -> Int {
    (0..<1024).count { fcntl($0, F_GETFD) >= 0 }
}

func descriptors() async throws {
    // Some before counting, so that what is opened once for good, by Dispatch too, is open.
    for _ in 0..<5 {
        await (try ChildProcess.spawn(shell("cat"))).teardown(.immediate)
        await (try ChildProcess.spawn(shell("sleep 0.1"))).teardown(.standard)
    }
    let before = openDescriptors()
    for round in 0..<200 {
        var broken = shell("exit 0")
        switch round % 3 {
        case 0: broken.executable = "no-such-program"
        case 1: broken.workingDirectory = "/no-such-directory"
        // It is found and executable, so only the exec itself fails, after the pipes were made.
        default:
            broken.executable = "/proc/self/exe"
            broken.arguments = [String(repeating: "x", count: 200_000)]
        }
        do {
            _ = try ChildProcess.spawn(broken)
            tell("a broken one was started")
        } catch {}
    }
    tell("failed spawns: \(openDescriptors() - before)")
    for round in 0..<200 {
        let child = try ChildProcess.spawn(shell("cat; exit 0"))
        if round % 2 == 0, let output = child.takeStandardOutput() { close(output) }
        await child.teardown(round % 4 == 0 ? .standard : .immediate)
    }
    tell("spawns: \(openDescriptors() - before)")
}

func stops(_ script: String) async throws {
    var agent = shell(script)
    agent.streams = .inherited
    agent.group = .shared
    let status = await (try ChildProcess.spawn(agent)).waitForExit()
    exit(status.shellStatus)
}

func shared(_ script: String) async throws {
    var agent = shell(script)
    agent.streams = .inherited
    agent.group = .shared
    let child = try ChildProcess.spawn(agent)
    DispatchQueue(label: "told").async {
        var byte: UInt8 = 0
        // Sound: read(2) writes at most the one byte.
        _ = unsafe read(STDIN_FILENO, &byte, 1)
        child.sendToGroup(SIGTERM)
    }
    exit(await child.waitForExit().shellStatus)
}

do {
    switch CommandLine.arguments.dropFirst().first {
    case "guarded": try await guarded(CommandLine.arguments[2])
    case "descriptors": try await descriptors()
    case "shared": try await shared(CommandLine.arguments[2])
    case "stops": try await stops(CommandLine.arguments[2])
    default: exit(2)
    }
} catch {
    tell("failed \(error)")
    exit(1)
}
