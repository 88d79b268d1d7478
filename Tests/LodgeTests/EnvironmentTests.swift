// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("arguments and secrets", .timeLimit(.minutes(1))) struct EnvironmentTests {
        static let canary = "canary-5f0d8b1e"

        /// A1
        @Test("arguments arrive as they are, no shell between") func arguments() async throws {
            let words = [
                "a b", "", "$HOME", "${secret:x}", "$(id)", "`id`", "*", "~", ";", "&", "|", ">x", "\"", "'", "\\",
                "\n",
                "--", "-v", "ä€😀", "#", "%s",
            ]
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer + words) { lodge in
                let answer = try await lodge.client().call("whoami")
                #expect(
                    answer.json?["result"]?["structuredContent"]?["arguments"]
                        == .array(words.map { .string($0) }))
            }
        }

        /// A1
        @Test("--cwd is the server's working directory") func workingDirectory() async throws {
            try await ScratchDirectory.with { scratch in
                try await LodgeProcess.withServe(["--cwd", scratch.path], server: BuiltProducts.everythingServer) {
                    lodge in
                    let answer = try await lodge.client().call("whoami")
                    let place = answer.json?["result"]?["structuredContent"]?["workingDirectory"]?.string
                    #expect(
                        place.map { URL(filePath: $0).resolvingSymlinksInPath() }
                            == URL(filePath: scratch.path).resolvingSymlinksInPath())
                }
            }
        }

        /// A4, X1
        @Test("a named secret reaches the server and no answer, state or log of lodge") func secret() async throws {
            try await LodgeProcess.withServe(
                ["--env", "DEMO_API_KEY", "--log-calls", "--log-level", "trace"],
                environment: ["DEMO_API_KEY": Self.canary], server: BuiltProducts.fixture("vault")
            ) { lodge in
                let client = try await lodge.stranger()
                let hello = try await client.post(MCPClient.initialize())
                var inside = client
                inside.session = hello["Mcp-Session-Id"]
                let lookup = try await inside.call("lookup", #"{"city":"Oslo"}"#)
                #expect(
                    lookup.json?["result"]?["content"]?.elements?.first?["text"]?.string?.hasPrefix("Oslo: ") == true)
                let state = try await client.ask("GET", "/status")
                for text in [hello.text, lookup.text, state.text, lodge.readyLine] + lodge.log.lines {
                    #expect(!text.contains(Self.canary))
                }
                // Nor does it stand where every process of the machine could read it.
                for process in ProcessFamily(of: lodge.child.pid).members {
                    #expect(process.arguments.allSatisfy { !$0.contains(Self.canary) })
                }
            }
        }

        /// A4, X1
        @Test("a secret in the server's last words is taken out of the log and of the error") func lastWords()
            async throws
        {
            try await LodgeProcess.withServe(
                ["--env", "MY_TOKEN", "--restart-delays", "30"], environment: ["MY_TOKEN": Self.canary],
                server: BuiltProducts.shell(#"echo "refused: $MY_TOKEN is wrong" >&2; echo "key $MY_TOKEN"; exit 1"#)
            ) { lodge in
                let answer = try await lodge.stranger().post(MCPClient.initialize())
                #expect(answer.status == 503)
                let tail = answer.json?["error"]?["data"]?["stderrTail"]?.elements
                #expect(tail?.count == 1)
                #expect(tail?.first?.string?.hasPrefix("refused: ") == true)
                #expect(tail?.first?.string?.hasSuffix(" is wrong") == true)
                #expect(!answer.text.contains(Self.canary))
                await lodge.log.wait(for: "refused: ")
                await lodge.log.wait(for: "line of the server that is no message")
                #expect(lodge.log.lines(with: Self.canary).isEmpty)
            }
        }

        /// A4, X1
        @Test("what is not named does not reach the server") func builtEnvironment() async throws {
            try await LodgeProcess.withServe(
                ["--env", "PASSED", "--env", "PLAIN=a=b c"],
                environment: ["PASSED": "yes", "OTHER_SECRET": Self.canary, "https_proxy": "http://127.0.0.1:1"],
                server: BuiltProducts.everythingServer
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("whoami")
                let names =
                    answer.json?["result"]?["structuredContent"]?["environment"]?.elements?.compactMap(\.string) ?? []
                #expect(names.contains("PASSED"))
                #expect(names.contains("https_proxy"))
                #expect(!names.contains("OTHER_SECRET"))
                #expect(try await client.call("print_env", #"{"name":"PLAIN"}"#).text == MCPClient.text("a=b c"))
                let server = try #require(lodge.servers.first)
                #expect(server.environment.allSatisfy { !$0.contains(Self.canary) })
            }
        }

        /// A4
        @Test("variables of a file reach the server") func environmentFile() async throws {
            try await ScratchDirectory.with { scratch in
                let file = try scratch.write("# keys\n\nDEMO_API_KEY=\(Self.canary)\nOTHER=${x} y\n", to: "env")
                try await LodgeProcess.withServe(["--env-file", file], server: BuiltProducts.fixture("vault")) {
                    lodge in
                    let answer = try await lodge.client().call("lookup", #"{"city":"Oslo"}"#)
                    #expect(answer.text.contains("Oslo: "))
                    #expect(lodge.log.lines(with: Self.canary).isEmpty)
                }
            }
        }

        /// A4
        @Test("a file of variables that others may read is used with a warning") func openEnvironmentFile()
            async throws
        {
            try await ScratchDirectory.with { scratch in
                let file = try scratch.write("MODE=fast\n", to: "env")
                try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
                try await LodgeProcess.withServe(["--env-file", file], server: BuiltProducts.fixture("echo")) {
                    lodge in
                    await lodge.log.wait(for: "env file '\(file)' is open to other users; run: chmod 600 '\(file)'")
                    let client = try await lodge.client()
                    #expect(try await client.echoes())
                }
            }
        }

        /// A4
        @Test("a secret that is named and empty refuses the start with a clear error") func emptySecret() async throws {
            try await LodgeProcess.withServe(
                ["--env", "MY_TOKEN", "--restart-delays", "30"], environment: ["MY_TOKEN": ""],
                server: BuiltProducts.fixture("echo")
            ) { lodge in
                let answer = try await lodge.stranger().post(MCPClient.initialize())
                #expect(answer.status == 503)
                #expect(
                    answer.json?["error"]?["message"]?.string
                        == "server 'fixtureserver' could not be started: server 'fixtureserver': the variable MY_TOKEN, "
                        + "which is to be passed on, is empty; give it a value or do not pass it; it is being started again"
                )
            }
        }
    }
}
