// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    /// A command line that is refused, and what is said of it.
    struct RefusedCommand: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        var status: Int32 = 2
        let error: String

        var testDescription: String { arguments.joined(separator: " ") }

        static let all = [
            Self(
                ["serve"],
                "no server; write its command behind --, as in: lodge serve -- mcp-server-time,"
                    + " or name a file of servers with --config"),
            Self(
                ["serve", "--", ""],
                "no server; write its command behind --, as in: lodge serve -- mcp-server-time,"
                    + " or name a file of servers with --config"),
            Self(
                ["serve", "--listen", "0.0.0.0:0", "--", "true"],
                "listening on 0.0.0.0 would carry tokens in clear beyond this machine; "
                    + "listen on 127.0.0.1 behind a TLS proxy, or add --insecure-listen"),
            Self(
                ["serve", "--listen", ":0", "--", "true"],
                "listening on 0.0.0.0 would carry tokens in clear beyond this machine; "
                    + "listen on 127.0.0.1 behind a TLS proxy, or add --insecure-listen"),
            Self(
                ["serve", "--listen", "[::]:0", "--", "true"],
                "listening on :: would carry tokens in clear beyond this machine; "
                    + "listen on 127.0.0.1 behind a TLS proxy, or add --insecure-listen"),
            Self(
                ["serve", "--token-file", "a", "--token-env", "B", "--", "true"],
                "--token-file and --token-env exclude each other; give one"),
            Self(
                ["serve", "--auth", "none", "--token-env", "B", "--", "true"],
                "--auth none takes no token; leave --token-file and --token-env out"),
            Self(
                ["serve", "--stateless", "--isolation", "client", "--", "true"],
                "--stateless and --isolation client exclude each other: a process for each session needs sessions"),
            Self(
                ["serve", "--call-timeout", "0", "--", "true"],
                "a timeout must be more than 0 and at most 1000000 seconds"),
            Self(
                ["serve", "--start-timeout", "nan", "--", "true"],
                "a timeout must be more than 0 and at most 1000000 seconds"),
            Self(["serve", "--body-limit", "0", "--", "true"], "--body-limit must be at least 1 byte"),
            Self(
                ["serve", "--restart-delays", "1,,2", "--", "true"],
                "--restart-delays '1,,2' is not a list of seconds; write 1,2,4,8,15"),
            Self(
                ["serve", "--restart-delays", "soon", "--", "true"],
                "--restart-delays 'soon' is not a list of seconds; write 1,2,4,8,15"),
            Self(
                ["serve", "--log-format", "xml", "--", "true"], "--log-format 'xml' is not a format; use text or json"),
            Self(
                ["serve", "--name", "Not Good", "--", "true"],
                "server name 'Not Good' cannot be used; use at most 32 of a-z, 0-9 and -, "
                    + "with a letter or digit first and last; 'not-good' would do"),
            Self(["serve", "--env", "=x", "--", "true"], "--env '=x' has no name before the '='"),
            Self(
                ["serve", "--env", "API_TOKEN=x", "--", "true"],
                "--env API_TOKEN=… would put a credential into the process list\n"
                    + "hint: export API_TOKEN and pass --env API_TOKEN, or put it into a file for --env-file"),
            Self(
                ["serve", "--env-file", "/nowhere/file", "--", "true"],
                "the file '/nowhere/file' cannot be read; name a readable text file"),
            Self(
                ["serve", "--token-env", "NOT_SET_HERE", "--", "true"], status: 1,
                "the environment variable NOT_SET_HERE holds no usable token\n"
                    + "hint: a token is made of letters, digits and -._~+/, with = at its end only"),
            Self(
                ["serve", "--token-file", "/nowhere/token", "--", "true"], status: 1,
                "token file '/nowhere/token' cannot be read: no such file or directory"),
        ]

        init(_ arguments: [String], status: Int32 = 2, _ error: String) {
            (self.arguments, self.status, self.error) = (arguments, status, error)
        }
    }

    @Suite("the command line", .timeLimit(.minutes(1))) struct CommandLineTests {
        /// X4
        @Test("a wrong command line is refused with a sentence that mends it", arguments: RefusedCommand.all)
        func refused(command: RefusedCommand) async throws {
            let finished = try await FinishedProgram.lodge(command.arguments)
            #expect(finished.status == .exited(command.status))
            #expect(finished.output.isEmpty)
            #expect(
                finished.errors == "error: \(command.error)" || finished.errors.hasPrefix("error: \(command.error)\n"))
        }

        static let unknownWords = [
            ["serve", "--no-such-flag", "--", "true"], ["nonsense"], ["serve", "--auth", "basic", "--", "true"],
        ]

        /// X4
        @Test("what the command line does not know ends with 2", arguments: unknownWords)
        func unknown(arguments: [String]) async throws {
            let finished = try await FinishedProgram.lodge(arguments)
            #expect(finished.status == .exited(2))
            #expect(finished.output.isEmpty)
            #expect(finished.errors.hasPrefix("error: "))
        }

        /// X4
        @Test("help and version are data") func helpAndVersion() async throws {
            let version = try await FinishedProgram.lodge(["version"])
            #expect(version.status == .exited(0))
            #expect(version.output.hasPrefix("lodge "))
            let help = try await FinishedProgram.lodge(["serve", "--help"])
            #expect(help.status == .exited(0))
            #expect(help.errors.isEmpty)
            #expect(help.output.contains("(default: 127.0.0.1:8080)"))
        }

        /// X4
        @Test("a port that is taken ends it with 1 and says so, with nothing left running") func portTaken()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let second = try await FinishedProgram.lodge(
                    ["serve", "--listen", "127.0.0.1:\(lodge.port)", "--", BuiltProducts.fixture, "echo"])
                #expect(second.status == .exited(1))
                #expect(second.output.isEmpty)
                #expect(
                    second.errors.hasSuffix(
                        "error: cannot serve on 127.0.0.1:\(lodge.port): the port is taken\n"
                            + "hint: choose another with --listen, or 0 for a free one"))
                #expect(try await lodge.client().echoes())
            }
        }

        /// A-G10
        @Test("with --insecure-listen it listens beyond loopback, and foreign hosts are refused all the same")
        func insecureListen() async throws {
            try await LodgeProcess.withServe(
                ["--insecure-listen"], server: BuiltProducts.fixture("echo"), listen: "0.0.0.0:0"
            ) { lodge in
                let client = try await lodge.stranger()
                let answer = try await client.post(MCPClient.initialize(), ["Host": "127.0.0.1:\(lodge.port)"])
                #expect(answer.status == 200)
                #expect(try await client.post(MCPClient.initialize(), ["Host": "10.1.2.3"]).status == 403)
            }
        }

        static let modes: [(mode: Int, isFine: Bool)] = [
            (0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false),
        ]

        /// A-G10, X1
        @Test("a token file that others may read is refused", arguments: modes)
        func tokenFileMode(mode: Int, isFine: Bool) async throws {
            try await ScratchDirectory.with { scratch in
                let file = try scratch.write("secret-token", to: "token")
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
                if isFine {
                    try await LodgeProcess.withServe(["--token-file", file], server: BuiltProducts.fixture("echo")) {
                        lodge in
                        #expect(lodge.token == "secret-token")
                    }
                } else {
                    let finished = try await FinishedProgram.lodge(["serve", "--token-file", file, "--", "true"])
                    #expect(finished.status == .exited(1))
                    #expect(
                        finished.errors
                            == "error: token file '\(file)' is open to other users; run: chmod 600 '\(file)'")
                }
            }
        }

        /// X1
        @Test("--ready-file holds the line of --json, for its owner only") func readyFile() async throws {
            try await ScratchDirectory.with { scratch in
                try await LodgeProcess.withServe(
                    ["--ready-file", "\(scratch.path)/ready"], server: BuiltProducts.fixture("echo")
                ) { lodge in
                    #expect(try scratch.read("ready") == lodge.readyLine + "\n")
                    let attributes = try FileManager.default.attributesOfItem(atPath: "\(scratch.path)/ready")
                    #expect(attributes[.posixPermissions] as? Int == 0o600)
                    #expect(lodge.readyLine.hasSuffix(#","pid":\#(lodge.child.pid)}"#))
                }
            }
        }

        /// D9
        @Test("at its start it prints a snippet without the token, and what the isolation withholds")
        func announcement() async throws {
            try await LodgeProcess.withServe(["--name", "clock"], server: BuiltProducts.fixture("echo")) { lodge in
                await lodge.log.wait(for: "isolation shared: all clients share one process; withheld: ")
                #expect(
                    lodge.log.lines.contains(
                        #"    "clock": {"type": "http", "url": "\#(lodge.url)", "headers": {"Authorization": "Bearer ${LODGE_TOKEN}"}}"#
                    ))
                #expect(lodge.log.lines.contains("serving 'clock' at \(lodge.url)"))
            }
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.fixture("echo")) {
                lodge in
                await lodge.log.wait(
                    for: "isolation client: each session has a process of its own; nothing is withheld")
                #expect(lodge.token.map { lodge.log.lines(with: $0).isEmpty } == true)
            }
        }

        /// A19
        @Test("healthcheck ends with 0 while the servers can be used, and with 1 else") func healthcheck() async throws
        {
            let port = Place<Int>()
            try await LodgeProcess.withServe(
                ["--restart-delays", "30"], server: BuiltProducts.fixture("crashing", "--at", "during-call")
            ) { lodge in
                port.value = lodge.port
                let address = "127.0.0.1:\(lodge.port)"
                let ready = try await FinishedProgram.lodge(["healthcheck", "--address", address])
                #expect(ready.status == .exited(0))
                #expect(ready.output.isEmpty)
                #expect(ready.errors.isEmpty)
                _ = try await lodge.client().post(MCPClient.echo("hi"))
                let down = try await FinishedProgram.lodge(["healthcheck", "--address", address])
                #expect(down.status == .exited(1))
                #expect(down.errors == "error: the broker at \(address) answered 503")
                #expect(
                    try await FinishedProgram.lodge(["healthcheck", "--live", "--address", address]).status
                        == .exited(0))
            }
            let address = "127.0.0.1:\(try #require(port.value))"
            let gone = try await FinishedProgram.lodge(["healthcheck", "--address", address])
            #expect(gone.status == .exited(1))
            #expect(gone.errors == "error: the broker at \(address) did not answer")
        }
    }
}
