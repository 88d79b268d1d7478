// SPDX-License-Identifier: Apache-2.0

/// An agent to be started, and what it must not reach.
package struct SandboxRequest: Hashable, Sendable {
    /// The program and its arguments.
    package var command: [String]
    /// Where the agent starts, absolute. Whoever launches sets it: the sandbox keeps it.
    package var workingDirectory: String
    /// Files and directories that must not be seen, absolute; those that do not exist are named in the statement.
    package var hiddenPaths: [String]
    /// The one directory that stays visible although it lies in a hidden one: this session's own files.
    package var ownDirectory: String?

    package init(command: [String], workingDirectory: String, hiddenPaths: [String], ownDirectory: String? = nil) {
        self.command = command
        self.workingDirectory = workingDirectory
        self.hiddenPaths = hiddenPaths
        self.ownDirectory = ownDirectory
    }

    /// What is hidden from every agent beside Lodge's own files.
    ///
    /// Through an engine's socket, or as root through the system bus, an agent could start processes outside; the
    /// user's runtime directory has the session bus, the keyring and the agents of ssh and gpg.
    package static func standardHiddenPaths(environment: [String: String], user: SandboxUser) -> [String] {
        var paths = ["/run/user/\(user.userID)"]
        if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") { paths.append(runtime) }
        paths += [
            "/run/docker.sock", "/var/run/docker.sock", "/run/podman", "/run/containerd", "/run/crio",
        ]
        if let host = environment["DOCKER_HOST"], host.hasPrefix("unix:///") { paths.append(String(host.dropFirst(7))) }
        if let home = environment["HOME"], home.hasPrefix("/") {
            paths += ["\(home)/.docker/run", "\(home)/.docker/desktop"]
        }
        if user.isRoot { paths += ["/run/dbus", "/run/systemd/private"] }
        return paths
    }
}
