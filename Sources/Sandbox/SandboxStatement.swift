// SPDX-License-Identifier: Apache-2.0

/// What a launch keeps from an agent and what it does not, in sentences for people.
package struct SandboxStatement: Hashable, Sendable {
    /// Whether there is a sandbox at all.
    package let isConfined: Bool
    package let holds: [String]
    package let doesNotHold: [String]

    /// Everything as lines, what holds first.
    package var lines: [String] {
        holds.map { "holds: \($0)" } + doesNotHold.map { "does not hold: \($0)" }
    }

    static func unconfined(because reason: String, user: SandboxUser) -> SandboxStatement {
        var gaps = [
            "there is no sandbox (\(reason)): the agent runs as the user of Lodge and its servers, uid \(user.userID)",
            "it can read the environment of every server in /proc, and with it every secret that the server was given",
            "it can read the memory of Lodge and of the servers where processes of one user may trace each other"
                + " (kernel.yama.ptrace_scope 0)",
            "it can signal and end Lodge and the servers",
            "it can read Lodge's configuration and state, and use its control socket, engine sockets and the"
                + " session bus",
        ]
        if user.isRoot { gaps.append("it is root, so no file, process or device of the machine is closed to it") }
        return SandboxStatement(isConfined: false, holds: [], doesNotHold: gaps)
    }

    static func confined(
        by capability: SandboxCapability, paths: HiddenPaths, user: SandboxUser
    ) -> SandboxStatement {
        let tool =
            switch capability {
            case .bubblewrap: "bubblewrap"
            case .unshare(_, true, _): "unshare with user namespaces"
            case .unshare(_, false, _), .none: "unshare"
            }
        var holds = [
            "own process table (\(tool)): the agent sees, signals and traces its own processes only, and /proc"
                + " shows no other",
            "programs that raise privileges, as sudo does, raise none",
            "every process that the agent leaves behind ends with it",
        ]
        if !paths.all.isEmpty { holds.append("hidden: \(paths.all.joined(separator: ", "))") }
        if let own = paths.own { holds.append("visible among the hidden: \(own)") }
        var gaps = [
            "every other file that uid \(user.userID) may read stays readable, and a hidden one too where it is"
                + " mounted or"
                + " linked under a second name",
            "the network is kept: loopback and abstract sockets, such as that of an X server, are reachable",
            "a terminal is shared: on Linux before 6.2 the agent can type into it what runs after the agent",
        ]
        if user.isRoot {
            holds.append(
                "of root's capabilities it keeps \(SandboxPlan.rootCapabilities.joined(separator: ", "));"
                    + " /sys and /proc/sys are read-only; disks and other devices are closed")
            gaps.append(
                "it is root: it can change files that other programs run later; run Lodge as another user"
                    + " where that matters")
        }
        if !paths.absent.isEmpty {
            gaps.append(
                "visible should they come to be while it runs: \(paths.absent.joined(separator: ", "))")
        }
        return SandboxStatement(isConfined: true, holds: holds, doesNotHold: gaps)
    }
}
