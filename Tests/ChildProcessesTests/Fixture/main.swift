// SPDX-License-Identifier: Apache-2.0

import ChildProcesses
import Glibc

// A stand-in for `lodge` in the tests of the guard: it starts the given shell script as a guarded child, tells the pids
// on its standard output, and waits to be killed, or tears the child down when its standard input ends.
if GuardProgram.isWanted(arguments: CommandLine.arguments) { exit(GuardProgram.main()) }

guard CommandLine.arguments.count == 2 else { exit(2) }
let guardian = GuardProcess { print("problem \($0)") }
// A line at a time, since the test reads from a pipe.
setlinebuf(stdout)
do {
    let child = try ChildProcess.spawn(
        ChildSpecification(
            executable: "/bin/sh", arguments: ["-c", CommandLine.arguments[1]],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"]),
        guardedBy: guardian, standardError: { print($0) })
    print("guard \(guardian.pid ?? -1)")
    print("child \(child.pid)")
    while readLine() != nil {}
    await child.teardown()
    await guardian.stop()
    print("stopped")
} catch {
    print("failed \(error)")
    exit(1)
}
