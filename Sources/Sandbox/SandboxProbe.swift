// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// Finds out by trying what this machine can confine an agent with.
///
/// A tool that is installed may still be refused by the kernel, a container or a profile, so each candidate starts
/// `true` once through the very plan that an agent would get. It takes some milliseconds; it blocks, so call it once at
/// a start.
package struct SandboxProbe: Sendable {
    /// How a trial ended.
    package enum Outcome: Hashable, Sendable {
        case succeeded
        /// With the first line of its stderr, or its status where it said nothing.
        case failed(String)
        case timedOut
    }

    /// Starts a command, waits for its end up to a limit and ends it then.
    package typealias Run = @Sendable (_ launch: LaunchCommand, _ limit: Duration) -> Outcome

    private let run: Run
    private let facts: PathFacts
    private let limit: Duration

    package init(
        run: @escaping Run = { SpawnedProbe.run($0, limit: $1) }, facts: PathFacts = .live,
        limit: Duration = .seconds(3)
    ) {
        self.run = run
        self.facts = facts
        self.limit = limit
    }

    /// Who this process is.
    package static var currentUser: SandboxUser { SandboxUser(userID: geteuid(), groupID: getegid()) }

    /// Returns the best that works: bubblewrap, then unshare.
    ///
    /// - Parameter searchPath: the value of `PATH`, searched after the system's own directories.
    package func detect(searchPath: String?, user: SandboxUser = SandboxProbe.currentUser) -> SandboxCapability {
        let system = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]
        let directories =
            system + (searchPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        func find(_ name: String) -> String? {
            directories.lazy.map { "\($0)/\(name)" }.first { facts.look($0)?.isDirectory == false }
        }
        guard let shell = find("sh"), let env = find("env") else {
            return .none(reason: "there is no sh or no env on this machine")
        }
        var reasons: [String] = []
        if let path = find("bwrap") {
            let tools = SandboxTools(shell: shell, env: env, mount: "", setpriv: "")
            let capability = SandboxCapability.bubblewrap(path: path, tools: tools)
            if let reason = failure(of: capability, user) {
                reasons.append("bubblewrap: \(reason)")
            } else {
                return capability
            }
        } else {
            reasons.append("bubblewrap is not installed")
        }
        if let path = find("unshare"), let mount = find("mount"), let setpriv = find("setpriv") {
            let tools = SandboxTools(shell: shell, env: env, mount: mount, setpriv: setpriv)
            let capability = SandboxCapability.unshare(path: path, userNamespaces: !user.isRoot, tools: tools)
            if let reason = failure(of: capability, user) {
                reasons.append("unshare: \(reason)")
            } else {
                return capability
            }
        } else {
            reasons.append("unshare, mount or setpriv is not installed")
        }
        return .none(reason: reasons.joined(separator: "; "))
    }

    /// Tries a directory and a file that every system has, so that both ways of hiding are shown to work.
    private func failure(of capability: SandboxCapability, _ user: SandboxUser) -> String? {
        let request = SandboxRequest(
            command: ["true"], workingDirectory: "/", hiddenPaths: ["/tmp", "/etc/hosts"])
        do {
            let plan = try SandboxPlan.make(
                capability: capability, mode: .required, request: request, user: user, facts: facts)
            switch run(plan.launch, limit) {
            case .succeeded: return nil
            case .failed(let reason): return reason
            case .timedOut: return "it did not end within \(limit.components.seconds) s"
            }
        } catch {
            return error.message
        }
    }
}
