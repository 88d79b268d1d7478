// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sandbox
import Testing

@Suite(
    "A confined agent", .enabled(if: !Confinement.all.isEmpty, "no sandbox works on this machine"),
    .timeLimit(.minutes(1)))
struct ConfinedAgentTests {
    private static let searchEnvironments =
        #"cat /proc/[0-9]*/environ 2>/dev/null | tr '\0' '\n' | grep -c "CANARY=$1" "#

    @Test("cannot find a key in the environment of a process outside", arguments: Confinement.all)
    func environments(_ confinement: Confinement) throws {
        let canary = UUID().uuidString
        let launch = LaunchCommand(
            executable: "/bin/sh", arguments: ["-c", "echo ready; read x < /dev/null; exec sleep 600"])
        let server = try Launched(launch, prefix: confinement.prefix, environment: ["CANARY": canary])
        defer { server.signalGroup(SIGKILL) }
        #expect(server.line() == "ready")
        let unconfined = LaunchCommand(executable: "/bin/sh", arguments: ["-c", Self.searchEnvironments, "sh", canary])
        #expect(try Launched(unconfined, prefix: confinement.prefix).end().output == "1\n", "the search itself works")
        #expect(try confinement.run(Self.searchEnvironments, [canary]).output == "0\n")
    }

    @Test("has a process table of its own, and process 1 is not the machine's", arguments: Confinement.all)
    func processes(_ confinement: Confinement) throws {
        let ended = try confinement.run(
            "readlink /proc/self/ns/pid; ls -d /proc/[0-9]* | wc -l; kill -0 \(getpid()) || echo unseen")
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(lines.first != (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")))
        #expect(try #require(lines.dropFirst().first.flatMap { Int($0) }) < 10)
        #expect(lines.last == "unseen")
    }

    @Test("cannot read hidden files, whatever their names", arguments: Confinement.all)
    func hidden(_ confinement: Confinement) throws {
        let scratch = try OpenDirectory()
        let directory = try scratch.directory("d\"i;r\n&")
        let inside = try scratch.file("d\"i;r\n&/secret")
        let file = try scratch.file("fi`le")
        let script = #"ls -A "$1"; cat "$2" "$3"; echo "done""#
        let open = LaunchCommand(executable: "/bin/sh", arguments: ["-c", script, "sh", directory, inside, file])
        #expect(try Launched(open).end().output == "secret\ncanarycanarydone\n", "the script itself works")
        #expect(try confinement.run(script, [directory, inside, file], hiding: [directory, file]).output == "done\n")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "canary", "the file itself is untouched")
    }

    @Test("keeps its own directory among the hidden, and may write there", arguments: Confinement.all)
    func own(_ confinement: Confinement) throws {
        let scratch = try OpenDirectory()
        let state = try scratch.directory("state")
        let own = try scratch.directory("state/mine")
        try scratch.directory("state/other")
        let vault = try scratch.directory("state/mine/vault")
        _ = try scratch.file("state/mine/config", "config")
        _ = try scratch.file("state/mine/vault/key")
        let ended = try confinement.run(
            #"ls -A "$1" "$2/vault"; cat "$2/config"; echo new > "$2/written""#, [state, own], hiding: [state, vault],
            own: own)
        #expect(ended == Ended(status: 0, output: "\(state):\nmine\n\n\(own)/vault:\nconfig", errors: ""))
        #expect(try String(contentsOfFile: "\(own)/written", encoding: .utf8) == "new\n")
    }

    @Test("cannot take a cover away", arguments: Confinement.all)
    func uncover(_ confinement: Confinement) throws {
        let scratch = try OpenDirectory()
        let directory = try scratch.directory("hidden")
        _ = try scratch.file("hidden/secret")
        let script = """
            umount "$1"; umount -l "$1"; cat "$1/secret"
            unshare --mount sh -c 'umount "$1"; cat "$1/secret"' sh "$1"
            unshare --map-root-user --mount sh -c 'umount "$1"; umount -l "$1"; cat "$1/secret"' sh "$1"
            unshare --map-root-user --mount sh -c '
                mkdir /tmp/m.$$; mount --bind "${1%/*}" /tmp/m.$$; cat /tmp/m.$$/hidden/secret; rmdir /tmp/m.$$' sh "$1"
            nsenter --target 1 --mount cat "$1/secret"
            cat "/proc/1/root$1/secret"
            for p in /proc/[0-9]*; do cat "$p/root$1/secret" "$p/cwd/$1/secret"; done
            echo end
            """
        #expect(try confinement.run(script, [directory], hiding: [directory]).output == "end\n")
    }

    @Test("ends with its own status", arguments: Confinement.all)
    func status(_ confinement: Confinement) throws {
        #expect(try confinement.run("exit 7") == Ended(status: 7, output: "", errors: ""))
        #expect(try confinement.run("kill -KILL $$") == Ended(status: 137, output: "", errors: ""))
        #expect(try confinement.run("kill -TERM $$") == Ended(status: 143, output: "", errors: ""))
        #expect(try confinement.start(["lodge-no-such-program"]).end().status == 127)
    }

    @Test("gets its words, environment and identity as they are", arguments: Confinement.all)
    func words(_ confinement: Confinement) throws {
        let words = ["a b", "", "$(id)", "'\"", "--", "*", "x\ny"]
        let ended = try confinement.start(["/usr/bin/printf", "<%s>"] + words).end()
        #expect(ended.output == words.map { "<\($0)>" }.joined())
        let identity = try confinement.start(["/bin/sh", "-c", "id -u; echo $MINE"], environment: ["MINE": "mine"])
            .end()
        #expect(identity.output == "\(confinement.user.userID)\nmine\n")
    }

    @Test(
        "gets signals of the group and ends as it likes", arguments: Confinement.all,
        [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1])
    func signals(_ confinement: Confinement, _ signal: Int32) throws {
        let agent = try confinement.start(
            [
                "/bin/sh", "-c",
                "trap 'echo got; exit 3' HUP INT QUIT TERM USR1; echo ready; while :; do sleep 0.1; done",
            ])
        #expect(agent.line() == "ready")
        agent.signalGroup(signal)
        let ended = try agent.end()
        #expect(ended.output == "got\n")
        #expect(ended.status == 3)
    }

    @Test("without a handler ends of a signal, which its status says", arguments: Confinement.all)
    func terminated(_ confinement: Confinement) throws {
        let agent = try confinement.start(["/bin/sh", "-c", "echo ready; exec sleep 600"])
        #expect(agent.line() == "ready")
        agent.signalGroup(SIGTERM)
        #expect(try agent.end() == Ended(status: 143, output: "", errors: ""))
    }

    @Test("ends with everything it started when what Lodge started is killed", arguments: Confinement.all)
    func killed(_ confinement: Confinement) throws {
        let agent = try confinement.start(["/bin/sh", "-c", "setsid sleep 600 & echo ready; exec sleep 600"])
        #expect(agent.line() == "ready")
        kill(agent.processID, SIGKILL)
        // Returns only once nobody holds the output any more.
        #expect(try agent.end().status == 137)
    }

    @Test("leaves no process behind", arguments: Confinement.all)
    func daemons(_ confinement: Confinement) throws {
        #expect(
            try confinement.run("setsid sh -c 'trap \"\" HUP TERM; sleep 600' & echo started").output == "started\n")
    }

    @Test(
        "reaches a listener on loopback", .enabled(if: FileManager.default.isExecutableFile(atPath: "/bin/bash")),
        arguments: Confinement.all)
    func loopback(_ confinement: Confinement) throws {
        let listener = try LoopbackListener()
        let ended = try confinement.start([
            "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/\(listener.port) && echo connected",
        ]).end()
        #expect(ended == Ended(status: 0, output: "connected\n", errors: ""))
    }

    @Test(
        "has the terminal", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")),
        arguments: Confinement.all)
    func terminal(_ confinement: Confinement) throws {
        let request = SandboxRequest(
            command: ["/bin/sh", "-c", "test -t 0 && tty >/dev/null && : >/dev/tty && echo works"],
            workingDirectory: "/", hiddenPaths: [])
        let launch = try SandboxPlan.make(
            capability: confinement.capability, mode: .required, request: request, user: confinement.user
        ).launch
        let line = (confinement.prefix + [launch.executable] + launch.arguments)
            .map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
        let ended = try Launched(LaunchCommand(executable: "/usr/bin/script", arguments: ["-qec", line, "/dev/null"]))
            .end()
        #expect(ended == Ended(status: 0, output: "works\r\n", errors: ""))
    }

    @Test(
        "as root has no capability to pass by a cover, nor disks, nor kernel settings",
        .enabled(if: !Confinement.asRoot.isEmpty), arguments: Confinement.asRoot)
    func root(_ confinement: Confinement) throws {
        let ended = try confinement.run(
            """
            grep CapEff /proc/self/status
            for f in /proc/sys/kernel/core_pattern /sys/kernel/uevent_helper /sys/power/state; do
                (: >> $f) 2>/dev/null && echo "$f"
            done
            for d in /dev/*; do [ -b "$d" ] && head -c1 "$d" >/dev/null 2>&1 && echo "$d"; done
            mknod /tmp/node.$$ b 254 0 2>/dev/null && echo mknod && rm /tmp/node.$$
            echo x > /dev/null && head -c1 /dev/urandom > /dev/null && echo end
            """)
        // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
        #expect(ended.output == "CapEff:\t00000000000004fb\nend\n")
    }
}
