// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

extension ServeMessages {
    @Suite("one connection", .timeLimit(.minutes(1))) struct ConnectionOrderTests {
        /// A12, X3
        @Test("pipelined calls are answered in the order they were sent, however long each takes") func pipelined()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                let times = [120, 1, 60, 0, 30, 2]
                var bytes = ByteBuffer()
                for time in times {
                    bytes.writeImmutableBuffer(
                        client.request("POST", body: Array(MCPClient.call("wait", #"{"ms":\#(time)}"#, id: "1").utf8)))
                }
                try await client.connection.send(bytes)
                for time in times {
                    #expect(try await client.connection.response().text == MCPClient.text("waited \(time) ms"))
                }
            }
        }

        /// X4
        @Test("relayed and other requests, good and bad, mix on one connection and keep their order") func mixed()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let client = try await lodge.client()
                let progress = MCPClient.call("progress", #"{"steps":2,"label":"p"}"#, id: "2", token: "1")
                let requests: [(ByteBuffer, Int, String)] = [
                    (
                        client.request(
                            "POST", body: Array(MCPClient.call("progress", #"{"steps":0,"label":"a"}"#).utf8)), 200,
                        MCPClient.text("a")
                    ),
                    (client.request("GET", "/healthz"), 200, "ok"),
                    (client.request("POST", body: Array("{".utf8)), 400, ""),
                    (client.request("GET", "/nowhere", ["Authorization": nil]), 404, ""),
                    (client.request("POST", body: Array(progress.utf8)), 200, ""),
                    (client.request("POST", body: Array(MCPClient.initialized.utf8)), 202, ""),
                    (client.request("OPTIONS"), 204, ""),
                    (
                        client.request(
                            "POST", body: Array(MCPClient.call("progress", #"{"steps":0,"label":"b"}"#).utf8)), 200,
                        MCPClient.text("b")
                    ),
                    (client.request("GET", "/readyz"), 200, "ready"),
                    (client.request("DELETE"), 200, ""),
                    (client.request("POST", body: Array(MCPClient.call("hit", #"{"label":"c"}"#).utf8)), 404, ""),
                ]
                var all = ByteBuffer()
                for request in requests { all.writeImmutableBuffer(request.0) }
                // In pieces that cut heads and bodies anywhere.
                while let piece = all.readSlice(length: min(97, all.readableBytes)), piece.readableBytes > 0 {
                    try await client.connection.send(piece)
                }
                for (_, status, text) in requests {
                    let answer = try await client.connection.response()
                    #expect(answer.status == status)
                    if !text.isEmpty { #expect(answer.text == text) }
                }
            }
        }

        /// A29
        @Test("a connection is kept over many calls") func keptAlive() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                for index in 0..<200 { #expect(try await client.echoes("call \(index)", id: "\(index % 3)")) }
            }
        }

        /// X4
        @Test("a client of HTTP/1.0 gets its answer and the end of the connection") func oldClient() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let text = String(buffer: client.request("POST", body: Array(MCPClient.echo("hi").utf8)))
                try await client.connection.send(text.replacing("HTTP/1.1", with: "HTTP/1.0"))
                let answer = try await client.connection.response()
                #expect(answer.text == MCPClient.text("hi"))
                #expect(answer["Connection"] == "close")
                try await client.connection.closed()
            }
        }
    }
}
