// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import Testing

extension Doors {
    @Suite("their names", .timeLimit(.minutes(1))) struct DoorNameTests {
        /// A3, D5
        @Test("started under a program's name, lodge is that program") func symbolicLinks() async throws {
            try await ScratchDirectory.with { scratch in
                for name in ["claw-mcp-stdio", "mcp-proxy"] {
                    try FileManager.default.createSymbolicLink(
                        atPath: "\(scratch.path)/\(name)", withDestinationPath: BuiltProducts.lodge)
                }
                let server = BuiltProducts.fixture("echo")
                try await LodgeProcess.withDoor(
                    [], program: "\(scratch.path)/claw-mcp-stdio", environment: try CleanEnvironment.claw(server)
                ) { lodge in
                    let client = try await lodge.client()
                    #expect(try await client.echoes())
                }
                try await LodgeProcess.withDoor(
                    ["--port", "0", "--"] + server, program: "\(scratch.path)/mcp-proxy",
                    environment: CleanEnvironment.path
                ) { lodge in
                    let client = try await lodge.client()
                    #expect(try await client.echoes())
                }
            }
        }

        /// X4
        @Test("a port that is taken is told in the door's own words") func portTaken() async throws {
            let server = BuiltProducts.fixture("echo")
            try await LodgeProcess.withServe(server: server) { lodge in
                let address = "127.0.0.1:\(lodge.port)"
                let claw = try await FinishedProgram.program(
                    BuiltProducts.lodge, ["as", "claw-mcp-stdio"],
                    environment: try CleanEnvironment.claw(server, ["CLAW_MCP_STDIO_ADDR": address]))
                let proxy = try await FinishedProgram.program(
                    BuiltProducts.lodge, ["as", "mcp-proxy", "--port", "\(lodge.port)", "--"] + server,
                    environment: CleanEnvironment.path)
                for (finished, hint) in [
                    (claw, "CLAW_MCP_STDIO_ADDR or CLAW_MCP_STDIO_PORT says where to listen"),
                    (proxy, "--host and --port say where to listen; 0 is a free port"),
                ] {
                    #expect(finished.status == .exited(1))
                    #expect(
                        finished.errors.hasSuffix(
                            "error: cannot serve on \(address): the port is taken\nhint: \(hint)"))
                }
            }
        }

        /// X4
        @Test("what is no front door is refused", arguments: [[], ["nginx"]])
        func unknown(words: [String]) async throws {
            let finished = try await FinishedProgram.lodge(["as"] + words)
            #expect(finished.status == .exited(2))
            let error = words.first.map { "there is no front door '\($0)'" } ?? "no front door"
            #expect(finished.errors == "error: \(error)\nhint: the front doors are claw-mcp-stdio and mcp-proxy")
        }

        /// X4
        @Test("the help of the command names the doors") func help() async throws {
            let finished = try await FinishedProgram.lodge(["as", "--help"])
            #expect(finished.status == .exited(0))
            #expect(finished.output.contains("USAGE: lodge as claw-mcp-stdio|mcp-proxy [<argument> ...]"))
        }
    }
}
