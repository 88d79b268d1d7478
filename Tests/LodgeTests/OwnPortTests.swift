// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    /// A server with a port of its own, and what the broker says of itself.
    @Suite("own ports, status and metrics", .timeLimit(.minutes(1))) struct OwnPortTests {
        /// A port that nobody has at the moment of asking, below those that the system hands out by itself.
        private func freePort() throws -> Int {
            for _ in 0..<100 {
                let port = Int.random(in: 20_000..<32_000)
                if isFree(port) { return port }
            }
            throw LodgeProcessError("no free port")
        }

        private func isFree(_ port: Int) -> Bool {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            // Sound: the text lives until the call returns.
            address.sin_addr = in_addr(s_addr: unsafe inet_addr("127.0.0.1"))
            // Sound: bind(2) reads a whole sockaddr_in, which is what it is given.
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }

        private func servers(_ first: String = "") -> String {
            """
            {"mcpServers": {
              "one": {"command": "\(BuiltProducts.fixture)", "args": ["counting"]\(first)},
              "two": {"command": "\(BuiltProducts.fixture)", "args": ["echo"]}
            }}
            """
        }

        @Test("one session works on both listeners, and the server's own has that server alone")
        func ownPort() async throws {
            let port = try freePort()
            try await LodgeProcess.withServe(config: servers(", \"host_port\": \(port)")) { lodge async throws in
                #expect(lodge.readyLine.contains(#","own_url":"http://127.0.0.1:\#(port)/mcp"}"#))
                await lodge.log.wait(for: "serving 'one' alone at http://127.0.0.1:\(port)/mcp")
                let own = lodge.at("/mcp", port: port)
                let here = try await own.client()
                #expect(try await here.call("hit", #"{"label":"x"}"#).text == MCPClient.text("hit 1: x"))
                var there = try await lodge.serving("one").stranger()
                (there.session, there.version) = (here.session, here.version)
                #expect(try await there.call("hit", #"{"label":"y"}"#).text == MCPClient.text("hit 2: y"))
                let unknown = try await own.serving("two").stranger().post(MCPClient.initialize())
                #expect(unknown.status == 404)
                #expect(try await own.statusNames() == ["one"])
                #expect(try await lodge.status(of: "one")?["sessions"] == 1)
            }
        }

        /// D-G5
        @Test("the own port asks for the same token, Host and Origin") func sameChecks() async throws {
            let port = try freePort()
            try await LodgeProcess.withServe(config: servers(", \"host_port\": \(port)")) { lodge async throws in
                let stranger = try await lodge.at("/mcp", port: port).stranger()
                let hello = MCPClient.initialize()
                #expect(try await stranger.post(hello, ["Authorization": nil]).status == 401)
                #expect(try await stranger.post(hello, ["Authorization": "Bearer wrong"]).status == 401)
                #expect(try await stranger.post(hello, ["Host": "evil.example"]).status == 403)
                #expect(try await stranger.post(hello, ["Origin": "https://evil.example"]).status == 403)
                #expect(try await stranger.post(hello).status == 200)
            }
        }

        /// X4
        @Test("an own port that is taken ends it with 1 and names the server") func portTaken() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge async throws in
                try await ScratchDirectory.with { scratch in
                    let config = """
                        [{"name": "git", "command": "\(BuiltProducts.fixture)", "args": ["echo"],
                          "proxy_options": {"sse_port": \(lodge.port)}}]
                        """
                    let path = try scratch.write(config, to: "mcp.json")
                    let second = try await FinishedProgram.lodge(
                        ["serve", "--listen", "127.0.0.1:0", "--config", path])
                    #expect(second.status == .exited(1))
                    #expect(second.output.isEmpty)
                    #expect(
                        second.errors.hasSuffix(
                            "error: cannot serve 'git' on 127.0.0.1:\(lodge.port): the port is taken\n"
                                + "hint: give the server another host_port, or none"))
                }
            }
        }

        /// D1, D-G5
        @Test("status tells when a client last sent something, in the bridge's words too") func lastActivity()
            async throws
        {
            try await LodgeProcess.withServe(config: servers()) { lodge async throws in
                let before = try await lodge.wholeStatus()
                #expect(before["lastActivity"] == .null)
                #expect(before["servers"]?.elements?.map { $0["lastActivity"] } == [.null, .null])
                let instant = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/
                #expect(before["api_last_activity"]?.string?.wholeMatch(of: instant) != nil)
                #expect(before["server_instances"] == ["one": "running", "two": "running"])
                #expect(try await lodge.serving("two").client().echoes())
                let after = try await lodge.wholeStatus()
                let last = try #require(after["lastActivity"]?.string)
                #expect(last.wholeMatch(of: instant) != nil)
                #expect(after["api_last_activity"] == .string(last))
                #expect(after["servers"]?.elements?.map { $0["lastActivity"] } == [.null, .string(last)])
            }
        }

        @Test("metrics are Prometheus text with figures that are right") func metrics() async throws {
            try await LodgeProcess.withServe(config: servers()) { lodge async throws in
                let client = try await lodge.serving("two").client()
                for _ in 1...3 { #expect(try await client.echoes()) }
                let stranger = try await lodge.stranger()
                #expect(try await stranger.ask("GET", "/metrics", ["Authorization": nil]).status == 401)
                let answer = try await stranger.ask("GET", "/metrics")
                #expect(answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
                let figures = try Figures(answer.text)
                #expect(figures.values.keys.contains { $0.hasPrefix("lodge_build_info{version=") })
                for name in ["one", "two"] {
                    #expect(figures("up", of: name) == 1)
                    #expect(figures("ready", of: name) == 1)
                    #expect(figures("upstreams", of: name) == 1)
                    #expect(figures("restarts_total", of: name) == 0)
                    #expect(figures("late_answers_total", of: name) == 0)
                    #expect(figures("unknown_answers_total", of: name) == 0)
                    #expect(figures("calls_in_flight", of: name) == 0)
                }
                #expect(figures("sessions", of: "one") == 0)
                #expect(figures("sessions", of: "two") == 1)
                #expect(figures("requests_total", of: "one") == 0)
                #expect(figures("requests_total", of: "two") == 3)
                #expect(figures("calls_total", of: "two", outcome: "answered") == 3)
                #expect(figures("calls_total", of: "two", outcome: "timed-out") == 0)
                #expect(figures("last_activity_timestamp_seconds", of: "one") == nil)
                #expect((figures("last_activity_timestamp_seconds", of: "two") ?? 0) > 1_700_000_000)
                #expect((figures.values["lodge_gateway_connections"] ?? 0) >= 2)
                #expect((figures.values["process_resident_memory_bytes"] ?? 0) > 1_000_000)
                #expect((figures.values["process_open_fds"] ?? 0) > 5)
                #expect(figures.types["lodge_server_restarts_total"] == "counter")
            }
        }
    }
}
