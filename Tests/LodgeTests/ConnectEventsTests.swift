// SPDX-License-Identifier: Apache-2.0
import LodgeTestSupport
import Synchronization
import Testing

/// `lodge connect` in front of a server of 2024-11-05 that does what its script says (D4, D-G6).
@Suite("lodge connect: HTTP+SSE", .serialized, .timeLimit(.minutes(1)))
struct ConnectEventsTests {
    /// A server with one stream at a time: `/sse` opens it, what is posted to `/messages/` is answered over it.
    final class Server: Sendable {
        private let stream = Mutex<ScriptedServer.Answer?>(nil)
        private let opened = Mutex(0)
        private let endpoint: String
        /// A call of this id ends the stream instead of being answered.
        private let breaking: String?

        init(endpoint: String = "/messages/?session_id=1", breaking: String? = nil) {
            (self.endpoint, self.breaking) = (endpoint, breaking)
        }

        /// How often the stream was opened.
        var openings: Int { opened.withLock { $0 } }

        func take(_ request: ScriptedServer.Request, _ answer: ScriptedServer.Answer) {
            switch (request.method, request.path) {
            case ("GET", "/sse"), ("GET", "/mcp"):
                opened.withLock { $0 += 1 }
                stream.withLock { $0 = answer }
                answer.openStream()
                answer.send("event: endpoint\r\ndata: \(endpoint)\r\n\r\n: ping\r\n\r\n")
            case ("POST", let path) where path.hasPrefix("/messages/"):
                answer.respond(202, [:], "Accepted")
                let open = stream.withLock { $0 }
                if request.body.contains(#""method":"initialize""#) { open?.event(ConnectTests.initialized) }
                guard let id = request.body.firstMatch(of: #/"id":(\d+),"method":"tools/#)?.1 else { return }
                if let breaking, id == breaking {
                    open?.close()
                } else {
                    open?.event(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#)
                }
            default: answer.respond(405)
            }
        }
    }

    private static func call(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call"}"# }
    private static func answer(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    /// D4
    @Test("a path that ends in /sse is spoken to in the older way", arguments: ["auto", "sse"])
    func bySuffix(transport: String) async throws {
        let old = Server()
        try await ScriptedServer.with({ old.take($0, $1) }) { server in
            try await ConnectProcess.with(server.url + "/sse", ["--transport", transport, "--header", "X-One: 1"]) {
                lodge in
                let answer = try await lodge.initialize()
                #expect(answer == ConnectTests.initialized)
                #expect(try await lodge.ask(Self.call(7)) == Self.answer(7))
                #expect(server.requests.map(\.method) == ["GET", "POST", "POST", "POST"])
                #expect(server.requests.dropFirst().allSatisfy { $0.path == "/messages/?session_id=1" })
                #expect(server.requests.allSatisfy { $0["X-One"] == "1" })
            }
        }
    }

    /// D4
    @Test("a server that refuses the first POST is tried in the older way", arguments: [400, 404, 405])
    func byAnswer(status: Int) async throws {
        let old = Server()
        try await ScriptedServer.with({ request, answer in
            if request.method == "POST", request.path == "/mcp" { return answer.respond(status, [:], "no") }
            old.take(request, answer)
        }) { server in
            try await ConnectProcess.with(server.url + "/mcp") { lodge in
                let answer = try await lodge.initialize()
                #expect(answer == ConnectTests.initialized)
                #expect(try await lodge.ask(Self.call(7)) == Self.answer(7))
            }
        }
    }

    /// D4
    @Test("where there is no older transport either, the first refusal stands") func neither() async throws {
        try await ScriptedServer.with({ request, answer in
            answer.respond(request.method == "POST" ? 404 : 405, [:], "no")
        }) { server in
            try await ConnectProcess.with(server.url + "/mcp", status: 1) { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(
                    answer
                        == #"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"message":"the server refused the message with the HTTP status 404","data":{"reason":"refused","hint":"check that the URL is that of an MCP endpoint, and --transport","status":404}}}"#
                )
            }
        }
    }

    /// D-G6
    @Test("a stream that ends fails what waits on it; the next call begins a new session") func broken() async throws {
        let old = Server(breaking: "2")
        try await ScriptedServer.with({ old.take($0, $1) }) { server in
            try await ConnectProcess.with(server.url + "/sse") { lodge in
                try await lodge.initialize()
                let failed = try await lodge.ask(Self.call(2))
                #expect(failed.errorMessage == "the server's event stream ended before the answer came")
                #expect(try await lodge.ask(Self.call(3)) == Self.answer(3))
                #expect(old.openings == 2)
                #expect(server.requests.count { $0.body.contains(#""method":"initialize""#) } == 2)
                #expect(server.requests.count { $0.body.contains("notifications/initialized") } == 2)
                #expect(lodge.output.lines.count == 3)
            }
        }
    }

    /// D4
    @Test("an endpoint at another server is not used, and gets no header") func foreignEndpoint() async throws {
        try await ScriptedServer.with({ _, answer in answer.respond(202) }) { other in
            let old = Server(endpoint: "\(other.url)/messages/")
            try await ScriptedServer.with({ old.take($0, $1) }) { server in
                try await ConnectProcess.with(server.url + "/sse", status: 1) { lodge in
                    let answer = try await lodge.ask(MCPClient.initialize())
                    #expect(
                        answer.errorMessage
                            == "the stream's endpoint is at \(other.url), which is another server")
                }
            }
            #expect(other.requests.isEmpty)
        }
    }
}
