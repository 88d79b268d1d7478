// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension Doors {
    /// The predecessor's command lines, with the package's own servers under the names of the programs in them.
    @Suite("mcp-proxy", .timeLimit(.minutes(1))) struct MCPProxyDoorTests {
        static let door = ["as", "mcp-proxy"]

        /// A directory with the programs that the command lines name, at the head of PATH.
        private static func withPrograms(
            _ body: (ScratchDirectory, [String: String]) async throws -> Void
        ) async throws {
            try await ScratchDirectory.with { scratch in
                let server = "#!/bin/sh\nexec '\(BuiltProducts.everything)'\n"
                for name in ["uvx", "npx", "my-default-command", "my-custom-tool", "your-command"] {
                    _ = try scratch.program(server, named: name)
                }
                try await body(scratch, ["PATH": "\(scratch.path):/usr/bin:/bin"])
            }
        }

        /// A command line of the predecessor's documentation, its fixed port left to chance, and the paths that serve.
        struct Documented: Sendable, CustomTestStringConvertible {
            let arguments: [String]
            let paths: [String]
            var announced = 1

            var testDescription: String { arguments.joined(separator: " ") }

            static let all = [
                Self(["uvx", "mcp-server-fetch"], ["/mcp"]),
                Self(["--port=0", "uvx", "mcp-server-fetch"], ["/mcp", "/mcp/"]),
                Self(["--sse-port=0", "uvx", "mcp-server-fetch"], ["/mcp"]),
                Self(["--host=0.0.0.0", "--port=0", "uvx", "mcp-server-fetch"], ["/mcp"]),
                Self(["--sse-host=0.0.0.0", "--sse-port=0", "uvx", "mcp-server-fetch"], ["/mcp"]),
                Self(["--port=0", "--", "uvx", "mcp-server-fetch", "--user-agent=YourUserAgent"], ["/mcp"]),
                Self(
                    [
                        "--port=0", "--named-server", "fetch", "uvx mcp-server-fetch", "--named-server", "fetch2",
                        "uvx mcp-server-fetch",
                    ], ["/servers/fetch/mcp", "/servers/fetch2/mcp/"], announced: 2),
                Self(["--named-server", "fetch", "uvx mcp-server-fetch", "--port", "0"], ["/servers/fetch/mcp"]),
                Self(
                    [
                        "--port", "0", "--named-server", "fetch1", "uvx mcp-server-fetch", "--named-server", "tool2",
                        "my-custom-tool --verbose",
                    ], ["/servers/fetch1/mcp", "/servers/tool2/mcp"], announced: 2),
                Self(
                    ["--port=0", "--named-server-config", "servers.json"],
                    ["/servers/fetch/mcp", "/servers/github/mcp"], announced: 2),
                Self(
                    ["--port", "0", "--named-server-config", "servers.json", "--", "my-default-command", "--arg1"],
                    ["/mcp", "/servers/fetch/mcp", "/servers/github/mcp"], announced: 3),
                Self(
                    [
                        "--port", "0", "-e", "KEY", "VALUE", "-e", "ANOTHER_KEY", "ANOTHER_VALUE", "--",
                        "my-default-command",
                    ], ["/mcp"]),
                Self(
                    ["your-command", "--port", "0", "-e", "KEY", "VALUE", "-e", "ANOTHER_KEY", "ANOTHER_VALUE"],
                    ["/mcp"]),
                Self(["--port", "0", "--allow-origin=*", "--", "my-default-command"], ["/mcp"]),
                Self(
                    ["--pass-environment", "--port=0", "--sse-host", "0.0.0.0", "uvx", "mcp-server-fetch"], ["/mcp"]),
            ]

            init(_ arguments: [String], _ paths: [String], announced: Int = 1) {
                (self.arguments, self.paths, self.announced) = (arguments, paths, announced)
            }
        }

        private static let file = #"""
            {"mcpServers": {
              "fetch": {"enabled": true, "timeout": 60, "command": "uvx", "args": ["mcp-server-fetch"],
                        "transportType": "stdio"},
              "github": {"timeout": 60, "command": "npx", "args": ["-y", "@modelcontextprotocol/server-github"],
                         "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "<YOUR_TOKEN>"}, "transportType": "stdio"}
            }}
            """#

        /// Opens a session at a path and calls a tool in it.
        private func serves(_ lodge: LodgeProcess, at path: String) async throws -> Bool {
            let client = try await lodge.stranger()
            func post(_ body: String, _ session: String?) async throws -> RawHTTPResponse {
                try await client.connection.send(
                    client.request("POST", path, body: Array(body.utf8), ["Mcp-Session-Id": session]))
                return try await client.connection.response()
            }
            let opened = try await post(MCPClient.initialize(), nil)
            let answer = try await post(MCPClient.echo("hi"), opened["Mcp-Session-Id"])
            return opened.status == 200 && answer.text == MCPClient.text("hi")
        }

        /// D1, D2, D5, D-G7
        @Test("a documented command line starts and serves", arguments: Documented.all)
        func documented(line: Documented) async throws {
            try await Self.withPrograms { scratch, environment in
                let file = try scratch.write(Self.file, to: "servers.json")
                let arguments = line.arguments.map { $0 == "servers.json" ? file : $0 }
                try await LodgeProcess.withDoor(
                    Self.door + arguments, environment: environment, announced: line.announced
                ) { lodge in
                    for path in line.paths {
                        let isServed = try await serves(lodge, at: path)
                        #expect(isServed, "at \(path)")
                    }
                    #expect(lodge.log.lines(with: "there is no authentication").count == 1)
                    #expect(lodge.log.lines(with: "YOUR_TOKEN").isEmpty)
                }
            }
        }

        /// D9, D2, D3, D-G5
        @Test("every server's address is told, bad entries of the file are left out, and /status has the rest")
        func addresses() async throws {
            try await Self.withPrograms { scratch, environment in
                let file = try scratch.write(
                    #"""
                    {"mcpServers": {"one": {"command": "uvx"}, "off": {"command": "uvx", "enabled": false},
                                    "bad": {"args": []}, "My Own": {"command": "npx"}}}
                    """#, to: "servers.json")
                try await LodgeProcess.withDoor(
                    Self.door + ["--named-server-config", file, "--named-server", "not", "uvx", "--", "uvx"],
                    environment: environment, announced: 3
                ) { lodge in
                    let base = "http://127.0.0.1:\(lodge.port)"
                    #expect(
                        lodge.log.lines.filter { $0.hasPrefix("serving ") } == [
                            "serving 'default' at \(base)/servers/default/mcp",
                            "serving 'default', the default, at \(base)/mcp too",
                            "serving 'one' at \(base)/servers/one/mcp",
                            "serving 'my-own' at \(base)/servers/my-own/mcp",
                        ])
                    #expect(lodge.log.lines.contains("over HTTP+SSE: 'one' at \(base)/servers/one/sse"))
                    #expect(lodge.log.lines(with: "server 'off' is switched off").count == 1)
                    #expect(lodge.log.lines(with: "server 'bad' is left out: it has no command").count == 1)
                    #expect(
                        lodge.log.lines(with: "--named-server is not looked at beside --named-server-config").count == 1
                    )
                    for path in ["/mcp", "/servers/My%20Own/mcp", "/servers/my-own/mcp"] {
                        #expect(try await serves(lodge, at: path))
                    }
                    let status = try await lodge.stranger().ask("GET", "/status")
                    let names = status.json?["servers"]?.elements?.compactMap { $0["name"]?.string } ?? []
                    #expect(names == ["default", "one", "my-own"])
                }
            }
        }

        /// D5
        @Test("a variable, a directory and the whole environment are the default server's as the flags say")
        func environment() async throws {
            try await Self.withPrograms { scratch, environment in
                let own = environment.merging(["OWN_SETTING": "1", "API_KEY": "the-key"]) { _, new in new }
                let directory = try scratch.directory("work")
                for isPassed in [false, true] {
                    let flags =
                        ["-e", "KEY_ONE", "its value", "--cwd", directory]
                        + ["--\(isPassed ? "" : "no-")pass-environment"]
                    try await LodgeProcess.withDoor(Self.door + flags + ["uvx"], environment: own) { lodge in
                        let client = try await lodge.client()
                        let facts = try await client.call("whoami").json?["result"]?["structuredContent"]
                        let names = facts?["environment"]?.elements?.compactMap(\.string) ?? []
                        #expect(names.contains("KEY_ONE"))
                        #expect(names.contains("OWN_SETTING") == isPassed)
                        #expect(names.contains("API_KEY") == isPassed)
                        let place = try #require(lodge.servers.first?.pid)
                        #expect(
                            try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(place)/cwd")
                                == URL(filePath: directory).resolvingSymlinksInPath().path(percentEncoded: false))
                        #expect(lodge.log.lines(with: "its value").isEmpty)
                        #expect(lodge.log.lines(with: "--env KEY_ONE puts a credential").count == 1)
                    }
                }
            }
        }

        /// D6, B21
        @Test("pages of a named origin may call and read, the named headers too; without --allow-origin none may")
        func origins() async throws {
            try await Self.withPrograms { _, environment in
                let flags = ["--allow-origin", "https://a.example", "https://b.example", "--expose-header", "X-One"]
                try await LodgeProcess.withDoor(Self.door + flags + ["--", "uvx"], environment: environment) { lodge in
                    let client = try await lodge.stranger()
                    let answer = try await client.post(MCPClient.initialize(), ["Origin": "https://b.example"])
                    #expect(answer["Access-Control-Allow-Origin"] == "https://b.example")
                    #expect(answer["Access-Control-Expose-Headers"] == "X-One")
                    let preflight = try await client.ask(
                        "OPTIONS", nil,
                        ["Origin": "https://a.example", "Access-Control-Request-Method": "POST"])
                    #expect(preflight.status == 204)
                    #expect(preflight["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
                    let other = try await client.post(MCPClient.initialize(), ["Origin": "https://c.example"])
                    #expect(other.status == 403)
                }
                try await LodgeProcess.withDoor(Self.door + ["uvx"], environment: environment) { lodge in
                    let client = try await lodge.stranger()
                    let page = try await client.post(MCPClient.initialize(), ["Origin": "http://localhost:3000"])
                    #expect(page.status == 200)
                    #expect(page["Access-Control-Allow-Origin"] == nil)
                    let other = try await client.post(MCPClient.initialize(), ["Origin": "https://a.example"])
                    #expect(other.status == 403)
                }
                try await LodgeProcess.withDoor(
                    Self.door + ["--allow-origin", "*", "--", "uvx"], environment: environment
                ) { lodge in
                    let answer = try await lodge.stranger().post(
                        MCPClient.initialize(), ["Origin": "https://any.example"])
                    #expect(answer["Access-Control-Allow-Origin"] == "https://any.example")
                    #expect(answer["Access-Control-Expose-Headers"] == "Mcp-Session-Id")
                }
            }
        }

        /// C-G7
        @Test("on loopback a foreign Host is refused; beyond it any is taken") func hosts() async throws {
            try await Self.withPrograms { _, environment in
                for (host, status) in [("127.0.0.1", 403), ("0.0.0.0", 200)] {
                    try await LodgeProcess.withDoor(
                        Self.door + ["--host", host, "uvx"], environment: environment
                    ) { lodge in
                        let answer = try await lodge.stranger().post(MCPClient.initialize(), ["Host": "bridge:8096"])
                        #expect(answer.status == status)
                    }
                }
            }
        }

        /// D7
        @Test(
            "every feature passes as the server has it, and its errors as it wrote them",
            arguments: [
                #""prompts/list","params":{}"#, #""resources/list","params":{}"#,
                #""resources/templates/list","params":{}"#, #""logging/setLevel","params":{"level":"error"}"#,
                #""resources/subscribe","params":{"uri":"file:///nowhere"}"#,
                #""completion/complete","params":{"ref":{"type":"ref/prompt","name":"nobody"},"argument":{"name":"a","value":""}}"#,
                #""resources/read","params":{"uri":"nowhere:"}"#, #""prompts/get","params":{"name":"nobody"}"#,
                #""tools/call","params":{"name":"nobody"}"#, #""tools/list","params":{"cursor":"nonsense"}"#,
            ])
        func features(request: String) async throws {
            try await Self.withPrograms { _, environment in
                let message = #"{"jsonrpc":"2.0","id":5,"method":"# + request + "}"
                // What the server says when nothing stands between.
                let direct = try await Self.directAnswer(to: message)
                try await LodgeProcess.withDoor(Self.door + ["uvx"], environment: environment) { lodge in
                    let client = try await lodge.client()
                    let answer = try await client.post(message)
                    #expect(answer.status == 200)
                    #expect(answer.text == direct)
                }
            }
        }

        private static func directAnswer(to message: String) async throws -> String {
            let lines = [MCPClient.initialize(), MCPClient.initialized, message].joined(separator: "\n")
            let server = try await FinishedProgram.program(
                "/bin/sh", ["-c", #"printf '%s\n' "$1" | "$0""#, BuiltProducts.everything, lines])
            return try #require(server.output.split(separator: "\n").last { $0.contains(#""id":5"#) }.map(String.init))
        }

        /// D7, A20, D-G3, D-G4
        @Test("one server that is not there or ends leaves the others alone") func oneFails() async throws {
            try await Self.withPrograms { _, environment in
                let crashing = "\(BuiltProducts.fixture) crashing --at during-call"
                try await LodgeProcess.withDoor(
                    Self.door + [
                        "--named-server", "gone", "/nowhere/server", "--named-server", "ends", crashing, "--", "uvx",
                    ], environment: environment, announced: 3
                ) { lodge in
                    #expect(try await serves(lodge, at: "/mcp"))
                    #expect(try await serves(lodge, at: "/servers/ends/mcp") == false)
                    #expect(try await serves(lodge, at: "/mcp"))
                    let client = try await lodge.stranger()
                    let refused = client.request("POST", "/servers/gone/mcp", body: Array(MCPClient.initialize().utf8))
                    try await client.connection.send(refused)
                    #expect(try await client.connection.response().status == 503)
                }
            }
        }

        /// D5
        @Test("with nothing to serve it prints its help and ends with 1") func nothing() async throws {
            let finished = try await FinishedProgram.program(
                BuiltProducts.lodge, Self.door, environment: CleanEnvironment.path)
            #expect(finished.status == .exited(1))
            #expect(finished.output.isEmpty)
            #expect(finished.errors.hasPrefix("usage: mcp-proxy [flags]"))
            #expect(
                finished.errors.hasSuffix(
                    "error: no server; give a command, --named-server NAME COMMAND or --named-server-config FILE"))
        }

        /// D3
        @Test(
            "a file that cannot be used ends it with 1",
            arguments: [
                ("{", "is not JSON (byte 1)"), ("{}", "has no object 'mcpServers'; the servers stand in it by name"),
            ])
        func badFile(content: String, error: String) async throws {
            try await ScratchDirectory.with { scratch in
                let file = try scratch.write(content, to: "servers.json")
                let finished = try await FinishedProgram.program(
                    BuiltProducts.lodge, Self.door + ["--named-server-config", file],
                    environment: CleanEnvironment.path)
                #expect(finished.status == .exited(1))
                #expect(finished.errors == "error: the file '\(file)' \(error)")
            }
        }

        /// D5
        @Test("help and version are data", arguments: ["--help", "-h", "--version"])
        func data(flag: String) async throws {
            let finished = try await FinishedProgram.program(
                BuiltProducts.lodge, Self.door + [flag], environment: CleanEnvironment.path)
            #expect(finished.status == .exited(0))
            #expect(finished.errors.isEmpty)
            #expect(finished.output.hasPrefix(flag == "--version" ? "mcp-proxy, by lodge " : "usage: mcp-proxy "))
        }
    }
}
