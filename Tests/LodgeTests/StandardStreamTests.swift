// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("streams and limits that its caller arranged", .timeLimit(.minutes(1))) struct StandardStreamTests {
        /// A-G7
        @Test("a caller that does not read the log stops nothing", arguments: ["shared", "client"])
        func unreadLog(isolation: String) async throws {
            try await Self.withServe(
                #"exec "$0" "$@" 2>"$LOG""#, ["--isolation", isolation], BuiltProducts.fixture("chatty", "--garbage"),
                log: .unread
            ) { lodge in
                let client = try await lodge.client()
                // Each call makes several lines of log, so the pipe is full long before the last.
                for index in 0..<250 { #expect(try await client.echoes("call \(index)")) }
                #expect(try await client.call("flood", #"{"bytes":300000}"#).text == MCPClient.text("flooded"))
                #expect(try await lodge.stranger().ask("GET", "/healthz").status == 200)
            }
        }

        static let closings = ["<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"]

        /// A28, X4
        @Test("streams that its caller closed do no harm", arguments: closings) func closed(
            closing: String
        ) async throws {
            try await Self.withServe(
                #"exec "$0" "$@" \#(closing)"#, [], BuiltProducts.fixture("chatty", "--garbage"), log: .none
            ) { lodge in
                let client = try await lodge.client()
                #expect(try await client.echoes())
            }
        }

        /// X4
        @Test("a caller that wants the line of --json and does not read it is told so") func jsonUnread() async throws {
            let finished = try await FinishedProgram.program(
                "/bin/sh",
                [
                    "-c", #"{ "$0" serve --listen 127.0.0.1:0 --json -- "$1" echo; echo "status $?" >&2; } | true"#,
                    BuiltProducts.lodge, BuiltProducts.fixture,
                ])
            #expect(
                finished.errors.contains(
                    "error: the line of --json cannot be written: nobody reads the standard output"))
            #expect(finished.errors.contains("hint: use --ready-file to have it in a file"))
            #expect(finished.errors.hasSuffix("status 1"))
        }

        @Test("a low limit of open descriptors is raised as far as the system allows") func descriptorLimit()
            async throws
        {
            try await Self.withServe(
                #"ulimit -S -n 64; exec "$0" "$@""#, [], BuiltProducts.fixture("echo"), log: .none
            ) { lodge in
                var clients: [MCPClient] = []
                for _ in 0..<100 { clients.append(try await lodge.client()) }
                for client in clients { #expect(try await client.echoes()) }
            }
        }

        private enum Log { case none, unread }

        /// Starts `lodge` through a shell that arranges its streams; its ready file tells where it listens.
        private static func withServe(
            _ script: String, _ flags: [String], _ server: [String], log: Log,
            _ body: (LodgeProcess) async throws -> Void
        ) async throws {
            try await ScratchDirectory.with { scratch in
                let ready = "\(scratch.path)/ready"
                var environment: [String: String] = [:]
                var pipe: FileHandle?
                if log == .unread {
                    // A pipe with a name that is open for reading here, and never read.
                    environment["LOG"] = "\(scratch.path)/log"
                    // Sound: the text lives until the call returns.
                    try #require(unsafe mkfifo("\(scratch.path)/log", 0o600) == 0)
                    pipe = FileHandle(forUpdatingAtPath: "\(scratch.path)/log")
                }
                let child = try ChildProcess.spawn(
                    ChildSpecification(
                        executable: "/bin/sh",
                        arguments: [
                            "-c", script, BuiltProducts.lodge, "serve", "--listen", "127.0.0.1:0", "--json",
                            "--ready-file", ready,
                        ]
                            + flags + ["--"] + server,
                        environment: FinishedProgram.environment(environment))
                ) { _ in }
                do {
                    try #require(
                        await eventually { FileManager.default.fileExists(atPath: ready) || child.exitStatus != nil })
                    let lodge = try LodgeProcess(child: child, readyLine: try scratch.read("ready"), log: LogLines())
                    try await body(lodge)
                    await lodge.connections.closeAll()
                } catch {
                    await child.teardown(.immediate)
                    throw error
                }
                child.send(SIGTERM)
                #expect(await child.waitForExit() == .exited(0))
                await child.waitForEnd()
                try pipe?.close()
            }
        }
    }
}
