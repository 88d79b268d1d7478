// SPDX-License-Identifier: Apache-2.0

extension SandboxPlan {
    /// No `--new-session`: the agent must be able to use the terminal.
    static func bubblewrap(
        _ path: String, _ tools: SandboxTools, _ paths: HiddenPaths, _ readOnly: [String], _ command: [String],
        _ user: SandboxUser
    ) -> LaunchCommand {
        var words = [path]
        if user.isRoot {
            // Root could read any file, hidden ones too, from the disk's device: so only harmless devices.
            words += ["--bind", "/", "/", "--dev", "/dev"]
            for directory in ["/dev/pts", "/dev/shm"] { words += ["--dev-bind", directory, directory] }
        } else {
            words += ["--dev-bind", "/", "/"]
        }
        words += ["--proc", "/proc", "--unshare-pid", "--die-with-parent"]
        if user.isRoot {
            words += ["--ro-bind", "/sys", "/sys"]
            for path in readOnly { words += ["--ro-bind", path, path] }
            words += ["--cap-drop", "ALL"] + rootCapabilities.flatMap { ["--cap-add", "CAP_\($0)"] }
        }
        words += paths.outer.flatMap(cover)
        if let own = paths.own { words += ["--bind", own, own] }
        words += paths.inner.flatMap(cover)
        return outer(tools, words + ["--"] + agent(command, tools))
    }

    private static func cover(_ fact: PathFacts.Fact) -> [String] {
        fact.isDirectory ? ["--perms", "0700", "--tmpfs", fact.path] : ["--ro-bind", "/dev/null", fact.path]
    }
}
