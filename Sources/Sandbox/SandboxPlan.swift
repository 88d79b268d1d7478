// SPDX-License-Identifier: Apache-2.0

/// How an agent is started on this machine, and what that keeps from it.
///
/// A plan is pure: it starts nothing and looks at the machine only through `PathFacts`. It is no complete jail: the
/// network and every file that is not named stay as they are. The statement says so for each case.
package struct SandboxPlan: Hashable, Sendable {
    package let launch: LaunchCommand
    package let statement: SandboxStatement

    /// What root keeps inside: files and identities, but nothing by which a mount could be undone or passed by.
    ///
    /// Not kept among others: SYS_ADMIN (unmount), DAC_READ_SEARCH (open by handle), MKNOD (raw disks), SYS_PTRACE,
    /// SYS_MODULE, NET_ADMIN and NET_RAW (listening on loopback).
    static let rootCapabilities = [
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE",
    ]

    /// The devices that root keeps, beside terminals and `/dev/shm`.
    static let rootDevices = ["null", "zero", "full", "random", "urandom", "tty"]

    /// Kernel interfaces that root may read but not write.
    static let rootReadOnly = ["/proc/sys", "/proc/sysrq-trigger"]

    /// Plans the launch; throws if a sandbox is required and there is none, or if it would hide what the agent needs.
    package static func make(
        capability: SandboxCapability, mode: SandboxMode, request: SandboxRequest, user: SandboxUser,
        facts: PathFacts = .live
    ) throws(SandboxError) -> SandboxPlan {
        guard let program = request.command.first, !program.isEmpty else {
            throw SandboxError("there is no agent to start; name its program after --")
        }
        let plain = LaunchCommand(executable: program, arguments: Array(request.command.dropFirst()))
        if mode == .off {
            return SandboxPlan(launch: plain, statement: .unconfined(because: "--sandbox=off was given", user: user))
        }
        if case .none(let reason) = capability {
            guard mode == .auto else {
                throw SandboxError(
                    "no sandbox works on this machine (\(reason)); install bubblewrap or use --sandbox=auto")
            }
            return SandboxPlan(launch: plain, statement: .unconfined(because: reason, user: user))
        }
        guard !program.contains("=") else {
            throw SandboxError("the program '\(program)' has a '=' in its name; start it through a link without one")
        }
        let paths = try HiddenPaths(request, facts: facts)
        let readOnly = user.isRoot ? rootReadOnly.filter { facts.look($0) != nil } : []
        let launch: LaunchCommand
        switch capability {
        case .bubblewrap(let path, let tools):
            launch = bubblewrap(path, tools, paths, readOnly, request.command, user)
        case .unshare(let path, let userNamespaces, let tools):
            launch = unshare(path, userNamespaces, tools, paths, readOnly, request.command, user)
        case .none: launch = plain
        }
        return SandboxPlan(launch: launch, statement: .confined(by: capability, paths: paths, user: user))
    }

    /// Gives the agent back the signals that everything around it ignores.
    static func agent(_ command: [String], _ tools: SandboxTools) -> [String] {
        [tools.env, "--default-signal=\(LaunchScript.signals.joined(separator: ","))", "--"] + command
    }

    static func outer(_ tools: SandboxTools, _ command: [String]) -> LaunchCommand {
        var launch = LaunchCommand(
            executable: tools.shell, arguments: ["-c", LaunchScript.outer, "lodge-sandbox"] + command)
        // The outer shell, bubblewrap or unshare, and process 1 inside.
        launch.wrappers = 3
        return launch
    }
}
