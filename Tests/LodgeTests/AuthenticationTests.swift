// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeRefusals {
    @Suite("tokens and origins", .timeLimit(.minutes(1))) struct AuthenticationTests {
        /// A18
        @Test("a token is minted where none is given, another each time, and the log does not show it")
        func minted() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let token = try #require(lodge.token)
                #expect(token.hasPrefix("lodge_"))
                #expect(token.count > 40)
                #expect(try await lodge.client().echoes())
                try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { other in
                    #expect(other.token != token)
                    let client = try await other.stranger()
                    let answer = try await client.post(MCPClient.echo("hi"), ["Authorization": "Bearer \(token)"])
                    #expect(answer.status == 401)
                }
                #expect(lodge.log.lines(with: token).isEmpty)
            }
        }

        /// A18
        @Test("a token of a file is used") func tokenFile() async throws {
            try await ScratchDirectory.with { scratch in
                let file = try scratch.write("my-own-token\n", to: "token")
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
                try await LodgeProcess.withServe(["--token-file", file], server: BuiltProducts.fixture("echo")) {
                    lodge in
                    #expect(lodge.token == "my-own-token")
                    let client = try await lodge.client()
                    #expect(try await client.echoes())
                }
            }
        }

        /// A18
        @Test("a token of the environment is used, and the server does not get it") func tokenVariable() async throws {
            try await LodgeProcess.withServe(
                ["--token-env", "MY_TOKEN"], environment: ["MY_TOKEN": "from-the-environment"],
                server: BuiltProducts.everythingServer
            ) { lodge in
                #expect(lodge.token == "from-the-environment")
                let client = try await lodge.client()
                let answer = try await client.call("print_env", #"{"name":"MY_TOKEN"}"#)
                #expect(answer.text.contains("environment variable 'MY_TOKEN' is not set"))
            }
        }

        /// A18
        @Test("with --auth none everybody is let in, and it is said") func noAuthentication() async throws {
            try await LodgeProcess.withServe(["--auth", "none"], server: BuiltProducts.fixture("echo")) { lodge in
                #expect(lodge.token == nil)
                #expect(lodge.readyLine.contains(#""token":null"#))
                let client = try await lodge.client()
                #expect(try await client.echoes())
                #expect(lodge.log.lines.contains("authentication is off: whoever can connect can call"))
            }
        }

        /// A-G10
        @Test("with --auth none Host and Origin are checked all the same") func hostWithoutToken() async throws {
            try await LodgeProcess.withServe(["--auth", "none"], server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                #expect(try await client.post(MCPClient.echo("hi"), ["Host": "evil.example.com"]).status == 403)
                #expect(
                    try await client.post(MCPClient.echo("hi"), ["Origin": "https://evil.example.com"]).status == 403)
            }
        }

        /// A-G10, D6
        @Test("an allowed Host is let in, and no other") func allowedHost() async throws {
            try await LodgeProcess.withServe(
                ["--allow-host", "broker.example.com", "--allow-host", "b.example.com:81"],
                server: BuiltProducts.fixture("echo")
            ) { lodge in
                let client = try await lodge.client()
                for (host, status) in [
                    ("broker.example.com", 200), ("BROKER.example.com:9", 200), ("b.example.com:81", 200),
                    ("b.example.com:82", 403), ("b.example.com", 403), ("c.example.com", 403), ("127.0.0.1", 200),
                ] {
                    #expect(try await client.post(MCPClient.echo("hi"), ["Host": host]).status == status, "\(host)")
                }
            }
        }

        /// A-G10, D6
        @Test("a page of an allowed origin is let in and may read, any other gets no such leave")
        func allowedOrigin() async throws {
            try await LodgeProcess.withServe(
                ["--allow-origin", "https://app.example.com"], server: BuiltProducts.fixture("echo")
            ) { lodge in
                let client = try await lodge.client()
                let allowed = try await client.post(MCPClient.echo("hi"), ["Origin": "https://app.example.com"])
                #expect(allowed.status == 200)
                #expect(allowed["Access-Control-Allow-Origin"] == "https://app.example.com")
                #expect(allowed["Access-Control-Expose-Headers"] == "Mcp-Session-Id")
                #expect(allowed["Vary"] == "Origin")
                let local = try await client.post(MCPClient.echo("hi"), ["Origin": "http://localhost:5173"])
                #expect(local.status == 200)
                #expect(local["Access-Control-Allow-Origin"] == nil)
                #expect(
                    try await client.post(MCPClient.echo("hi"), ["Origin": "https://app.example.org"]).status == 403)
            }
        }

        /// D6
        @Test("a preflight passes without a token and names the headers, but not for a foreign origin")
        func preflight() async throws {
            try await LodgeProcess.withServe(
                ["--allow-origin", "https://app.example.com"], server: BuiltProducts.fixture("echo")
            ) { lodge in
                let client = try await lodge.stranger()
                let answer = try await client.ask(
                    "OPTIONS", nil, ["Authorization": nil, "Origin": "https://app.example.com"])
                #expect(answer.status == 204)
                #expect(answer["Access-Control-Allow-Origin"] == "https://app.example.com")
                #expect(answer["Access-Control-Allow-Methods"] == "POST, GET, DELETE")
                #expect(
                    answer["Access-Control-Allow-Headers"]
                        == "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, "
                        + "Mcp-Method, Mcp-Name")
                let foreign = try await client.ask(
                    "OPTIONS", nil, ["Authorization": nil, "Origin": "https://evil.example.com"])
                #expect(foreign.status == 403)
                #expect(foreign["Access-Control-Allow-Origin"] == nil)
            }
        }

        /// A18, D-G5
        @Test("the state of the servers needs the token, life and readiness do not") func openPaths() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.stranger()
                for (path, word) in [("/healthz", "ok"), ("/readyz", "ready")] {
                    let answer = try await client.ask("GET", path, ["Authorization": nil])
                    #expect(answer.status == 200)
                    #expect(answer.text == word)
                }
                #expect(try await client.ask("GET", "/status", ["Authorization": nil]).status == 401)
                #expect(try await client.ask("GET", "/status").status == 200)
            }
        }
    }
}
