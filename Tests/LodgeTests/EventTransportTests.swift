// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("the 2024-11-05 transport", .timeLimit(.minutes(1))) struct EventTransportTests {
        /// D1, B20
        @Test("one server answers at /sse and at /mcp side by side", arguments: ["shared", "client"])
        func sideBySide(isolation: String) async throws {
            try await LodgeProcess.withServe(
                ["--isolation", isolation], server: BuiltProducts.fixture("counting")
            ) { lodge in
                let (one, two, plain) = (
                    try await lodge.sseClient(), try await lodge.sseClient(), try await lodge.client()
                )
                for (client, label) in [(one, "one"), (two, "two")] {
                    try await client.send(
                        MCPClient.call("progress", #"{"steps":2,"label":"\#(label)"}"#, id: "5", token: "7"))
                }
                let answer = try await plain.call("progress", #"{"steps":0,"label":"plain"}"#, id: "5", token: "7")
                #expect(answer.text == MCPClient.text("plain", id: "5"))
                for (client, label) in [(one, "one"), (two, "two")] {
                    for step in 1...2 {
                        #expect(
                            try await client.next()
                                == #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":\#(step),"total":2,"message":"\#(label)"}}"#
                        )
                    }
                    #expect(try await client.next() == MCPClient.text(label, id: "5"))
                }
            }
        }

        /// D1
        @Test("the stream and its messages are there under every path of the server, with a slash or without")
        func paths() async throws {
            try await LodgeProcess.withServe(["--name", "files"], server: BuiltProducts.fixture("echo")) { lodge in
                for (path, messages) in [
                    ("/sse", "/messages/"), ("/sse/", "/messages/"), ("/servers/files/sse", "/servers/files/messages/"),
                    ("/servers/files/sse/", "/servers/files/messages/"),
                ] {
                    let client = try await lodge.openSSE(path)
                    #expect(client.path.hasPrefix("\(messages)?session_id="))
                    #expect(try await client.ask(MCPClient.initialize())?.contains(#""serverInfo""#) == true)
                }
            }
        }

        /// D-G2, A-G6
        @Test("a question of the server comes on the stream of its client, and the answer goes back")
        func question() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let client = try await lodge.sseClient(version: "2025-11-25", capabilities: #"{"sampling":{}}"#)
                let text = try #require(
                    try await client.ask(MCPClient.call("test_sampling", #"{"prompt":"hi"}"#, id: "9")))
                let question = try JSONValue.parse(Array(text.utf8))
                #expect(question["method"]?.string == "sampling/createMessage")
                let id = try #require(question["id"])
                try await client.send(
                    #"{"jsonrpc":"2.0","id":\#(String(decoding: id.serialized, as: UTF8.self)),"result":{"role":"assistant","content":{"type":"text","text":"yes"},"model":"m"}}"#
                )
                #expect(try await client.next()?.contains("yes") == true)
            }
        }

        /// D-G8
        @Test("a notification that nobody knows does no harm, over either transport", arguments: ["shared", "client"])
        func unknownNotification(isolation: String) async throws {
            let notice = #"{"jsonrpc":"2.0","method":"notifications/made_up","params":{"x":1.0}}"#
            let server = BuiltProducts.script(
                request: #"printf '\#(notice)\n{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id""#)
            try await LodgeProcess.withServe(["--isolation", isolation], server: server) { lodge in
                let (list, answer) = (
                    #"{"jsonrpc":"2.0","id":5,"method":"tools/list"}"#, #"{"jsonrpc":"2.0","id":5,"result":{}}"#
                )
                let client = try await lodge.sseClient(version: "2025-11-25")
                try await client.send(list)
                // To a shared server's clients it belongs to nobody.
                if isolation == "client" { #expect(try await client.next() == notice) }
                #expect(try await client.next() == answer)
                #expect(try await lodge.client().post(list).answer == answer)
            }
        }

        /// A-G4
        @Test("a changed list is told on the stream") func listChanged() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.sseClient()
                _ = try await lodge.client().call("test_trigger_tool_change")
                #expect(
                    try await client.next() == #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
            }
        }

        /// A25
        @Test("a client that leaves frees its calls and its session", arguments: ["shared", "client"])
        func left(isolation: String) async throws {
            try await LodgeProcess.withServe(
                ["--isolation", isolation], server: BuiltProducts.everythingServer
            ) { lodge in
                let before = lodge.descriptorCount
                for breaks in [true, false] {
                    let client = try await lodge.sseClient()
                    for id in 1...3 { try await client.send(MCPClient.call("slow", #"{"seconds":50}"#, id: "\(id)")) }
                    #expect(try await lodge.reaches { $0["callsInFlight"] == 3 && $0["sessions"] == 1 })
                    let connection = client.stream.connection
                    if breaks { try await connection.reset() } else { await connection.close() }
                    #expect(try await lodge.reaches { $0["callsInFlight"] == 0 && $0["sessions"] == 0 })
                    #expect(try await client.post(MCPClient.echo("too late", id: "8")).status == 404)
                    await client.messages.connection.close()
                }
                #expect(await eventually { lodge.descriptorCount <= before })
            }
        }

        /// X2, A20
        @Test("when the server ends, its calls are told, and in isolation client the stream ends with its session")
        func serverEnds() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let client = try await lodge.sseClient()
                try await client.send(MCPClient.call("slow", #"{"seconds":50}"#, id: "1"))
                try await client.send(MCPClient.call("exit", #"{"status":3}"#, id: "2"))
                for _ in 1...2 { #expect(try await client.next()?.contains("ended with exit status 3") == true) }
                #expect(try await client.next() == nil)
            }
            try await LodgeProcess.withServe(
                ["--restart-delays", "0.1"], server: BuiltProducts.everythingServer
            ) { lodge in
                let client = try await lodge.sseClient()
                #expect(
                    try await client.ask(MCPClient.call("exit", #"{"status":3}"#, id: "2"))?
                        .contains("ended with exit status 3") == true)
                try await client.send(MCPClient.echo("on we go", id: "3"))
                // What the next process of the server may have changed is told too.
                while let message = try await client.next(), message != MCPClient.text("on we go", id: "3") {
                    #expect(message.contains("list_changed"))
                }
            }
        }

        /// X4
        @Test("a server that is down refuses initialize on the stream") func down() async throws {
            try await LodgeProcess.withServe(
                ["--restart-delays", "60"], server: BuiltProducts.shell("read line; exit 4")
            ) { lodge in
                #expect(try await lodge.reaches { $0["state"] == "restarting" })
                let answer = try await lodge.openSSE().ask(MCPClient.initialize(id: "7"))
                #expect(answer?.hasPrefix(#"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"#) == true)
            }
        }

        /// A28
        @Test("open streams end with lodge") func shutdown() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.sseClient()
                try await client.send(MCPClient.call("slow", #"{"seconds":50}"#))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
            }
        }
    }
}
