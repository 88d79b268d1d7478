// SPDX-License-Identifier: Apache-2.0

extension SandboxPlan {
    /// Without root, the paths are covered as root of a user namespace, and the agent then gets one further in, as
    /// itself again: what was mounted outside of it is locked, so no namespace of the agent's own can take a cover
    /// away.
    static func unshare(
        _ path: String, _ userNamespaces: Bool, _ tools: SandboxTools, _ paths: HiddenPaths, _ readOnly: [String],
        _ command: [String], _ user: SandboxUser
    ) -> LaunchCommand {
        var words = [tools.setpriv, "--pdeathsig", "KILL", "--", path]
        if userNamespaces { words += ["--user", "--map-root-user"] }
        words += ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        words += [tools.shell, "-c", LaunchScript.covering, "lodge-sandbox", tools.mount, paths.own ?? ""]
        if user.isRoot {
            for device in rootDevices { words += ["device", "/dev/\(device)"] }
            words += ["nodev", "/dev", "readonly-tree", "/sys"]
            for path in readOnly { words += ["readonly", path] }
        }
        words += paths.outer.flatMap(cover)
        if let own = paths.own { words += ["own", own] }
        words += paths.inner.flatMap(cover)
        words.append("--")
        if userNamespaces {
            words += [path, "--user", "--map-user=\(user.userID)", "--map-group=\(user.groupID)", "--"]
        }
        words += [tools.setpriv, "--no-new-privs"]
        if user.isRoot {
            let kept = rootCapabilities.map { ",+\($0.lowercased())" }.joined()
            words += ["--inh-caps=-all", "--bounding-set=-all\(kept)"]
        }
        words += ["--", tools.shell, "-c", LaunchScript.initial, "lodge-init"]
        return outer(tools, words + agent(command, tools))
    }

    private static func cover(_ fact: PathFacts.Fact) -> [String] {
        [fact.isDirectory ? "directory" : "file", fact.path]
    }
}
