// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Synchronization
import Testing

/// How often a server crashed, for the tasks of one test.
private final class Crashes: Sendable {
    let count = Atomic<Int>(0)
}

extension ServeProcess {
    /// Several servers in one process, from a file.
    @Suite("many servers", .timeLimit(.minutes(1))) struct ManyServersTests {
        private func fixture(_ mode: String, _ more: String = "") -> String {
            #"{"command": "\#(BuiltProducts.fixture)", "args": ["\#(mode)"]\#(more)}"#
        }

        /// X5, D-G4, D2
        @Test("ten servers at once, of which one keeps crashing: the other nine answer every call right")
        func oneCrashes() async throws {
            let calm = (1...9).map { "calm-\($0)" }
            let crashing =
                #""wild": {"command": "\#(BuiltProducts.fixture)", "args": ["crashing", "--at", "during-call"]}"#
            let entries = calm.map { "\"\($0)\": \(fixture("echo"))" } + [crashing]
            try await LodgeProcess.withServe(
                config: "{\"mcpServers\": {\(entries.joined(separator: ",\n"))}}", ["--restart-delays", "0.1"]
            ) { lodge async throws in
                let crashes = Crashes()
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for name in calm {
                        group.addTask {
                            let client = try await lodge.serving(name).client()
                            var calls = 0
                            while crashes.count.load(ordering: .relaxed) < 5 || calls < 50 {
                                calls += 1
                                let said = "\(name) \(calls)"
                                let answer = try await client.post(MCPClient.echo(said, id: "\(calls)"))
                                guard answer.status == 200, answer.answer == MCPClient.text(said, id: "\(calls)") else {
                                    throw LodgeProcessError("\(said): \(answer.status) \(answer.text)")
                                }
                            }
                            return calls
                        }
                    }
                    group.addTask {
                        let client = try await lodge.serving("wild").client()
                        while crashes.count.load(ordering: .relaxed) < 5 {
                            let answer = try await client.post(MCPClient.echo("x"))
                            guard answer.answer?.contains(#""reason":"exited""#) == true else { continue }
                            crashes.count.add(1, ordering: .relaxed)
                        }
                        return 0
                    }
                    for try await calls in group { #expect(calls == 0 || calls >= 50) }
                }
                for name in calm {
                    let status = try await lodge.status(of: name)
                    #expect(status?["restarts"] == 0)
                    #expect(status?["unknownAnswers"] == 0)
                }
                #expect((try await lodge.status(of: "wild")?["restarts"]?.integer ?? 0) >= 4)
            }
        }

        /// X5, D-G4
        @Test("a bad entry of each kind is left out with its place and its reason, and the others are served")
        func badEntries() async throws {
            let config = """
                { // as editors write it
                  "mcpServers": {
                    "good": \(fixture("echo")),
                    "no-command": {"args": []},
                    "wrong-type": {"command": 7},
                    "no-object": 3,
                    "far": {"url": "https://example.com/mcp"},
                    "asks": {"command": "c", "env": {"KEY": "${input:key}"}},
                    "vault": {"command": "c", "env": {"KEY": "${secret:key}"}},
                    "good": \(fixture("echo")),
                    "off": {"disabled": true, "command": 7},
                    "Odd Name": \(fixture("echo")),
                    "no-isolation": {"command": "c", "isolation": "none"},
                    "gone": {"command": "/nowhere/program"},
                    "unset": {"command": "\(BuiltProducts.fixture)", "env": {"API_KEY": "${NOT_SET_ANYWHERE}"}},
                  },
                }
                """
            try await LodgeProcess.withServe(config: config, ["--default", "good"]) { lodge async throws in
                await lodge.log.wait(for: "server 'no-isolation': ")
                let warnings = lodge.log.lines(with: "mcp.json:").compactMap { line in
                    line.firstMatch(of: /(warning|info) lodge: [^ ]*mcp\.json:(.*)/).map { "\($0.1) \($0.2)" }
                }
                let expected = [
                    "info 11:5: server 'off' is disabled and left out",
                    "warning 12:5: server 'Odd Name' is named 'odd-name' here",
                    "warning 4:5: server 'no-command' must have a command (left out)",
                    "warning 5:31: server 'wrong-type': command must be a string, not a number (left out)",
                    "warning 6:18: server 'no-object' must be an object, not a number (left out)",
                    "warning 7:5: server 'far' is reached by HTTP, which this version cannot do yet; give it a command "
                        + "or leave it out (left out)",
                    "warning 8:45: server 'asks': env KEY has ${input:key}, for which an editor asks its user, and "
                        + "Lodge asks nobody; use ${env:NAME} or ${file:PATH} (left out)",
                    "warning 9:46: server 'vault': ${secret:key} needs the vault, which this version does not have "
                        + "yet; use ${env:NAME} or ${file:PATH} (left out)",
                    "warning 10:5: server name 'good' is used twice (first on line 3); rename one of them (left out)",
                    "warning 13:51: server 'no-isolation': isolation 'none' is not known; use shared, client, call or pool "
                        + "(left out)",
                ]
                #expect(Array(warnings.prefix(expected.count)) == expected)
                #expect(try await lodge.statusNames() == ["good", "odd-name", "gone", "unset"])
                for name in ["gone", "unset"] {
                    #expect(try await lodge.status(of: name)?["ready"] == false)
                    let stranger = try await lodge.serving(name).stranger()
                    #expect(try await stranger.post(MCPClient.initialize()).status == 503)
                }
                for name in ["good", "odd-name"] { #expect(try await lodge.serving(name).client().echoes(name)) }
                await lodge.log.wait(for: "needs the variable NOT_SET_ANYWHERE, which is not set")
            }
        }

        /// D2
        @Test("the server behind -- is the default, and the servers of the file stand beside it") func defaultAndNamed()
            async throws
        {
            try await LodgeProcess.withServe(
                config: "{\"servers\": {\"other\": \(fixture("counting"))}}", ["--name", "main"],
                server: BuiltProducts.fixture("echo")
            ) { lodge async throws in
                #expect(try await lodge.at("/mcp").client().echoes())
                #expect(try await lodge.serving("main").client().echoes())
                let other = try await lodge.serving("other").client()
                #expect(try await other.call("hit", #"{"label":"x"}"#).text == MCPClient.text("hit 1: x"))
                await lodge.log.wait(for: "serving 'main', the default, at http://127.0.0.1:\(lodge.port)/mcp too")
            }
        }

        /// D2
        @Test("--default chooses, without it /mcp of several is no path") func chosenDefault() async throws {
            let config = "{\"mcpServers\": {\"a\": \(fixture("counting")), \"b\": \(fixture("echo"))}}"
            try await LodgeProcess.withServe(config: config, ["--default", "b"]) { lodge async throws in
                #expect(try await lodge.at("/mcp").client().echoes())
            }
            try await LodgeProcess.withServe(config: config) { lodge async throws in
                let answer = try await lodge.at("/mcp").stranger().post(MCPClient.initialize())
                #expect(answer.status == 404)
                #expect(
                    answer.json?["error"]?["message"]
                        == "there is nothing at this path; this broker has /servers/a/mcp, /servers/b/mcp, /all/mcp")
            }
        }

        /// A24, A-G9
        @Test("an entry has its own isolation and timeout, and what the flags say otherwise") func entrySettings()
            async throws
        {
            let config = """
                {"mcpServers": {
                  "hasty": \(fixture("slow", ", \"timeout\": 1000, \"isolation\": \"shared\"")),
                  "calm": \(fixture("slow"))
                }}
                """
            try await LodgeProcess.withServe(config: config, ["--isolation", "client"]) { lodge async throws in
                #expect(try await lodge.status(of: "hasty")?["isolation"] == "shared")
                #expect(try await lodge.status(of: "calm")?["isolation"] == "client")
                let hasty = try await lodge.serving("hasty").client()
                let calm = try await lodge.serving("calm").client()
                try await calm.send(MCPClient.call("hold", #"{"name":"x"}"#))
                let answer = try await hasty.call("hold", #"{"name":"y"}"#)
                #expect(
                    answer.json?["error"]?["message"] == "server 'hasty' did not answer within 1 s without progress")
                var beside = try await lodge.serving("calm").stranger()
                (beside.session, beside.version) = (calm.session, calm.version)
                _ = try await beside.call("release", #"{"name":"x"}"#)
                #expect(try await calm.connection.response().answer == MCPClient.text("held x"))
            }
        }

        /// C2
        @Test("a server with requires takes part only when all of them are set, behind the others") func requires()
            async throws
        {
            let config = """
                [{"name": "both", "command": "\(BuiltProducts.fixture)", "args": ["echo"], "requires": ["R_ONE", "R_TWO"]},
                 {"name": "some", "command": "\(BuiltProducts.fixture)", "args": ["echo"],
                  "requires": ["R_ONE", "R_EMPTY", "R_NONE"]},
                 {"name": "none", "command": "\(BuiltProducts.fixture)", "args": ["echo"], "requires": ["R_NONE"]},
                 {"name": "plain", "command": "\(BuiltProducts.fixture)", "args": ["echo"]}]
                """
            try await LodgeProcess.withServe(
                config: config, environment: ["R_ONE": "1", "R_TWO": "2", "R_EMPTY": ""]
            ) { lodge async throws in
                #expect(try await lodge.statusNames() == ["plain", "both"])
                await lodge.log.wait(for: "server 'none' is left out")
                #expect(
                    lodge.log.lines(with: "warning lodge:").first?.hasSuffix(
                        "mcp.json:2:2: server 'some' is left out: it requires R_EMPTY, R_NONE too, "
                            + "set nowhere where Lodge runs") == true)
                #expect(
                    lodge.log.lines(with: "info lodge:").contains {
                        $0.hasSuffix("mcp.json:4:2: server 'none' is left out: what it requires is not set (R_NONE)")
                    })
            }
        }

        /// D9, X1
        @Test("all addresses are printed, in the line of --json too, and no secret of an entry is") func addresses()
            async throws
        {
            let secret = #", "env": {"API_KEY": "canary-in-the-file", "OTHER_TOKEN": "${CANARY}"}"#
            let config = "{\"mcpServers\": {\"a\": \(fixture("echo", secret)), \"b\": \(fixture("echo"))}}"
            try await LodgeProcess.withServe(
                config: config, ["--log-level", "trace"], environment: ["CANARY": "canary-of-the-environment"]
            ) { lodge async throws in
                let base = "http://127.0.0.1:\(lodge.port)"
                #expect(
                    lodge.readyLine.hasPrefix(
                        #"{"servers":[{"name":"a","url":"\#(base)/servers/a/mcp","sse_url":"\#(base)/servers/a/sse"},"#
                            + #"{"name":"b","url":"\#(base)/servers/b/mcp","sse_url":"\#(base)/servers/b/sse"}],"token":"#
                    ))
                await lodge.log.wait(for: "isolation shared: ")
                for name in ["a", "b"] {
                    #expect(lodge.log.lines.contains("serving '\(name)' at \(base)/servers/\(name)/mcp"))
                    #expect(try await lodge.serving(name).client().echoes())
                }
                #expect(lodge.log.lines(with: "canary").isEmpty)
            }
        }

        static let unusable: [(content: String, flags: [String], error: String)] = [
            ("{\"mcpServers\": {\n", [], "mcp.json:2:1: failed to parse as JSON: the file ends too early"),
            (
                "{}", [],
                "mcp.json:1:1: there are no servers; give a list of servers, or an object with 'mcpServers', "
                    + "'servers', 'context_servers', 'mcp_servers' or 'mcp'"
            ),
            ("[]", [], "no server of 'mcp.json' can be used; it has none at all"),
            (#"[{"name": "a"}]"#, [], "no server of 'mcp.json' can be used; the log says why"),
            (
                #"[{"name": "a", "command": "c"}, {"name": "b", "command": "c"}]"#, ["--default", "c"],
                "--default 'c' is none of the servers: a, b"
            ),
            (
                #"[{"name": "a", "command": "c", "host_port": 5101}, {"name": "b", "command": "c", "host_port": 5101}]"#,
                [], "mcp.json:1:52: servers 'a' and 'b' have one host_port, 5101; give each its own"
            ),
            (
                #"[{"name": "a", "command": "c", "host_port": 5101}]"#, ["--listen", "127.0.0.1:5101"],
                "mcp.json:1:2: server 'a' has the host_port 5101, which is the port of --listen; give it another"
            ),
        ]

        /// X4
        @Test("a file that cannot be used ends it with 2 and one sentence", arguments: unusable)
        func unusableFile(content: String, flags: [String], error: String) async throws {
            try await ScratchDirectory.with { scratch in
                let path = try scratch.write(content, to: "mcp.json")
                let finished = try await FinishedProgram.lodge(["serve", "--config", path] + flags)
                #expect(finished.status == .exited(2))
                #expect(finished.output.isEmpty)
                let last = finished.errors.split(separator: "\n").last
                #expect(last?.replacing(scratch.path + "/", with: "") == "error: \(error)")
            }
        }

        /// X4
        @Test("a file that is not there ends it with 2") func noFile() async throws {
            let finished = try await FinishedProgram.lodge(["serve", "--config", "/nowhere/mcp.json"])
            #expect(finished.status == .exited(2))
            #expect(
                finished.errors
                    == "error: the file '/nowhere/mcp.json' cannot be read; name a readable file with --config")
        }
    }
}
