// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Testing

/// Whether the machine has what an agent is confined with, found out without Lodge.
enum SandboxTools {
    static let reason: Comment = "neither bubblewrap nor unshare can make a process table here"

    static func work() async throws -> Bool {
        let attempt = """
            bwrap --bind / / --unshare-pid --proc /proc true || unshare --mount --pid --fork --mount-proc true ||
            unshare --user --map-root-user --mount --pid --fork --mount-proc true
            """
        let child = try ChildProcess.spawn(
            ChildSpecification(
                executable: "/bin/sh", arguments: ["-c", attempt],
                environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"]))
        let status = await child.waitForExit()
        await child.waitForEnd()
        return status == .exited(0)
    }
}
