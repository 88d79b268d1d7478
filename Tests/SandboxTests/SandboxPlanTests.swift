// SPDX-License-Identifier: Apache-2.0

import Sandbox
import Testing

private let tools = SandboxTools(shell: "/bin/sh", env: "/bin/env", mount: "/bin/mount", setpriv: "/bin/setpriv")
private let bubblewrap = SandboxCapability.bubblewrap(path: "/bin/bwrap", tools: tools)
private let user = SandboxUser(userID: 1000, groupID: 100)
private let root = SandboxUser(userID: 0, groupID: 0)

/// A file system of these directories and files; a third kind is a link that leads to a path.
private func facts(_ directories: [String] = [], files: [String] = [], links: [String: String] = [:]) -> PathFacts {
    PathFacts { path in
        let path = links[path] ?? path
        if directories.contains(path) { return .init(path: path, isDirectory: true) }
        return files.contains(path) ? .init(path: path, isDirectory: false) : nil
    }
}

private func request(_ hidden: [String], _ command: [String] = ["agent", "-x"], own: String? = nil) -> SandboxRequest {
    SandboxRequest(command: command, workingDirectory: "/work", hiddenPaths: hidden, ownDirectory: own)
}

private func planned(
    _ request: SandboxRequest, with capability: SandboxCapability = bubblewrap, mode: SandboxMode = .auto,
    user: SandboxUser = user, facts: PathFacts = facts()
) throws -> SandboxPlan {
    try SandboxPlan.make(capability: capability, mode: mode, request: request, user: user, facts: facts)
}

@Suite("SandboxPlan")
struct SandboxPlanTests {
    @Test("bubblewrap as a user covers directories and files in order")
    func bubblewrapUser() throws {
        let plan = try planned(
            request(["/s", "/link", "/none"]), facts: facts(["/s"], files: ["/f"], links: ["/link": "/f"]))
        #expect(plan.launch.executable == "/bin/sh")
        #expect(
            Array(plan.launch.arguments.dropFirst(3)) == [
                "/bin/bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-pid", "--die-with-parent",
                "--perms", "0700",
                "--tmpfs", "/s", "--ro-bind", "/dev/null", "/f", "--", "/bin/env",
                "--default-signal=HUP,INT,QUIT,USR1,USR2,TERM",
                "--", "agent", "-x",
            ])
    }

    @Test("a path inside a hidden directory is covered once, one inside the own directory again")
    func nested() throws {
        let all = ["/s", "/s/a", "/s/own", "/s/own/vault", "/other"]
        let plan = try planned(request(["/s/own/vault", "/s/a", "/s", "/s"], own: "/s/own"), facts: facts(all))
        let words = plan.launch.arguments.drop { $0 != "--perms" }.prefix { $0 != "--" }
        #expect(
            Array(words) == [
                "--perms", "0700", "--tmpfs", "/s", "--bind", "/s/own", "/s/own", "--perms", "0700", "--tmpfs",
                "/s/own/vault",
            ])
    }

    @Test("no sandbox where one is required is refused with the way out")
    func required() {
        #expect(
            throws: SandboxError("no sandbox works on this machine (because); install bubblewrap or use --sandbox=auto")
        ) {
            try planned(request([]), with: .none(reason: "because"), mode: .required)
        }
    }

    @Test(
        "the agent starts as it is where there is none, or none is wanted",
        arguments: [
            (SandboxCapability.none(reason: "because"), SandboxMode.auto, "because"),
            (bubblewrap, .off, "--sandbox=off was given"),
        ])
    func unconfined(_ capability: SandboxCapability, _ mode: SandboxMode, _ reason: String) throws {
        let plan = try planned(request(["/s"]), with: capability, mode: mode, facts: facts(["/s"]))
        #expect(plan.launch == LaunchCommand(executable: "agent", arguments: ["-x"]))
        #expect(!plan.statement.isConfined)
        #expect(
            plan.statement.lines == [
                "does not hold: there is no sandbox (\(reason)): the agent runs as the user of Lodge and its"
                    + " servers, uid 1000",
                "does not hold: it can read the environment of every server in /proc, and with it every secret"
                    + " that the server was given",
                "does not hold: it can read the memory of Lodge and of the servers where processes of one user"
                    + " may trace each other"
                    + " (kernel.yama.ptrace_scope 0)",
                "does not hold: it can signal and end Lodge and the servers",
                "does not hold: it can read Lodge's configuration and state, and use its control socket, engine"
                    + " sockets and the session bus",
            ])
    }

    @Test("the statement of a confined agent names what is hidden and what is not")
    func statement() throws {
        let plan = try planned(request(["/s", "/none"]), facts: facts(["/s"]))
        #expect(plan.statement.isConfined)
        #expect(
            plan.statement.lines == [
                "holds: own process table (bubblewrap): the agent sees, signals and traces its own processes"
                    + " only, and /proc shows no other",
                "holds: programs that raise privileges, as sudo does, raise none",
                "holds: every process that the agent leaves behind ends with it",
                "holds: hidden: /s",
                "does not hold: every other file that uid 1000 may read stays readable, and a hidden one too"
                    + " where it is mounted or"
                    + " linked under a second name",
                "does not hold: the network is kept: loopback and abstract sockets, such as that of an X server,"
                    + " are reachable",
                "does not hold: a terminal is shared: on Linux before 6.2 the agent can type into it what runs"
                    + " after the agent",
                "does not hold: visible should they come to be while it runs: /none",
            ])
    }

    @Test("the statement for root says what root keeps")
    func rootStatement() throws {
        let lines = try planned(request([]), user: root).statement.lines
        #expect(
            lines.contains(
                "holds: of root's capabilities it keeps CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID,"
                    + " SETUID, NET_BIND_SERVICE;"
                    + " /sys and /proc/sys are read-only; disks and other devices are closed"))
        #expect(
            lines.contains(
                "does not hold: it is root: it can change files that other programs run later; run Lodge as"
                    + " another user"
                    + " where that matters"))
    }

    @Test(
        "what the agent needs is not hidden from it",
        arguments: [
            (
                ["/work"], ["agent"],
                "the working directory '/work' lies in '/work', which the sandbox hides; use another or --sandbox=off"
            ),
            (
                ["/bin"], ["/bin/agent"],
                "the program '/bin/agent' lies in '/bin', which the sandbox hides; use another or --sandbox=off"
            ),
            (["/"], ["agent"], "the path '/' is the root directory, which cannot be hidden; name less"),
            (["s"], ["agent"], "the path 's' cannot be hidden; give it in full, from /"),
            ([], ["a=b"], "the program 'a=b' has a '=' in its name; start it through a link without one"),
            ([], [], "there is no agent to start; name its program after --"),
        ])
    func refused(_ hidden: [String], _ command: [String], _ message: String) {
        #expect(throws: SandboxError(message)) {
            try planned(request(hidden, command), facts: facts(["/", "/work", "/bin"], files: ["/bin/agent"]))
        }
    }

    @Test("a session's directory that is not there is an error")
    func ownAbsent() {
        #expect(throws: SandboxError("the session's directory '/o' does not exist; make it first")) {
            try planned(request([], own: "/o"))
        }
    }

    @Test("engine sockets and the runtime directory are hidden from everyone, the system bus from root")
    func standard() {
        let environment = ["XDG_RUNTIME_DIR": "/run/u", "HOME": "/h", "DOCKER_HOST": "unix:///d.sock"]
        let common = [
            "/run/u", "/run/docker.sock", "/var/run/docker.sock", "/run/podman", "/run/containerd", "/run/crio",
            "/d.sock",
            "/h/.docker/run", "/h/.docker/desktop",
        ]
        #expect(SandboxRequest.standardHiddenPaths(environment: environment, user: user) == ["/run/user/1000"] + common)
        #expect(
            SandboxRequest.standardHiddenPaths(environment: environment, user: root)
                == ["/run/user/0"] + common + ["/run/dbus", "/run/systemd/private"])
    }
}
