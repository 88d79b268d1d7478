// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import Synchronization
import Testing

/// `lodge connect` in front of servers that do what their script says (D4, D-G6).
@Suite("lodge connect: Streamable HTTP", .serialized, .timeLimit(.minutes(1)))
struct ConnectTests {
    typealias Script = @Sendable (ScriptedServer.Request, ScriptedServer.Answer) -> Void

    static let initialized =
        #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#

    /// A server that makes the handshake in the session "s1", takes notices, has no stream of its own, and leaves calls
    /// to the test.
    static func server(session: String? = "s1", _ calls: @escaping Script) -> Script {
        { request, answer in
            switch (request.method, request.body) {
            case ("POST", let body) where body.contains(#""method":"initialize""#):
                answer.json(initialized, session.map { ["mcp-session-id": $0] } ?? [:])
            case ("POST", let body) where body.contains(#""method":"notifications/"#): answer.respond(202)
            case ("GET", _) where request["Last-Event-ID"] == nil: answer.respond(405)
            case ("DELETE", _): answer.respond(200)
            default: calls(request, answer)
            }
        }
    }

    /// D4
    @Test("messages pass both ways as they are, and each request says what it must") func passing() async throws {
        let script = Self.server { _, answer in
            answer.json("{\"jsonrpc\":\"2.0\" ,\r\n \"id\": 1.0,\"result\":{\"ü\": 1e400,\"x\":[ ]} }\n")
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url + "/mcp", ["--header", "X-One: 1"]) { lodge in
                let greeting = try await lodge.initialize()
                #expect(greeting == Self.initialized)
                let broken = try await lodge.ask(#" {"id": 1.0,"jsonrpc":"2.0","method":"tools/list","é": 00001e0 }"#)
                #expect(
                    broken.hasPrefix(#"{"jsonrpc":"2.0","id":1.0,"error":{"code":-32700"#))
                let call = #" {"id": 1.0,"jsonrpc":"2.0","method":"tools/list","é": 1e400 }"#
                let answer = try await lodge.ask(call)
                #expect(
                    answer
                        == "{\"jsonrpc\":\"2.0\" ,   \"id\": 1.0,\"result\":{\"ü\": 1e400,\"x\":[ ]} }")
                let requests = server.requests
                #expect(requests.map(\.method) == ["POST", "POST", "GET", "POST"])
                #expect(requests.last?.body == call)
                #expect(requests.map { $0["Mcp-Session-Id"] } == [nil, "s1", "s1", "s1"])
                #expect(requests.map { $0["MCP-Protocol-Version"] } == [nil, "2025-06-18", "2025-06-18", "2025-06-18"])
                #expect(requests.allSatisfy { $0["X-One"] == "1" && $0["User-Agent"] == "lodge" && $0.path == "/mcp" })
                #expect(requests[3]["Accept"] == "application/json, text/event-stream")
                #expect(requests[2]["Accept"] == "text/event-stream")
                #expect(requests[3]["Content-Type"] == "application/json")
            }
            #expect(server.requests.last?.method == "DELETE")
            #expect(server.requests.last?["Mcp-Session-Id"] == "s1")
        }
    }

    /// D4
    @Test("an event stream brings messages before the answer, and questions are answered beside it")
    func stream() async throws {
        let waiting = Held()
        let script = Self.server { request, answer in
            if request.body.contains(#""result""#) {
                answer.respond(202)
                return waiting.release {
                    $0.event(#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
                    $0.close()
                }
            }
            waiting.hold(answer)
            answer.openStream()
            answer.event("", id: "p0")
            answer.send(": comment\n\nevent: other\ndata: no message\n\n")
            answer.event(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#)
            answer.send("data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":\"q\",\"method\":\"ping\"}\n\n")
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)
                let lines = await lodge.lines(3)
                #expect(lines[1] == #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#)
                #expect(lines[2] == #"{"jsonrpc":"2.0", "id":"q","method":"ping"}"#)
                #expect(
                    try await lodge.ask(#"{"jsonrpc":"2.0","id":"q","result":{}}"#)
                        == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
            }
        }
    }

    /// D4
    @Test("a slow call holds up no other, and what is said later is not sent earlier") func order() async throws {
        let slow = Held()
        let script = Self.server { request, answer in
            guard let number = request.body.firstMatch(of: #/"id":(\d+)/#)?.1 else { return }
            if number == "1" { return slow.hold(answer) }
            if number == "60" { slow.release { $0.json(#"{"jsonrpc":"2.0","id":1,"result":{}}"#) } }
            answer.json(#"{"jsonrpc":"2.0","id":\#(number),"result":{}}"#)
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                for id in 1...60 {
                    try lodge.say(#"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call"}"#)
                    try lodge.say(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":\#(id)}}"#)
                }
                let lines = await lodge.lines(61)
                #expect(Set(lines).count == 61)
                // The last notice may still be on its way when all calls are answered.
                _ = await eventually { server.requests.count { $0.body.contains("progress") } == 60 }
                let notices = server.requests.compactMap { $0.body.firstMatch(of: #/"progress":(\d+)/#)?.1 }
                #expect(notices == (1...60).map { Substring("\($0)") })
                let calls = server.requests.compactMap { $0.body.firstMatch(of: #/"id":(\d+)/#)?.1 }.dropFirst()
                #expect(calls == (1...60).map { Substring("\($0)") }[...])
            }
        }
    }

    /// D4
    @Test("a stream that breaks before its answer is taken up again where it broke") func resumed() async throws {
        let script = Self.server { request, answer in
            answer.openStream()
            switch request["Last-Event-ID"] {
            case nil:
                answer.send("retry: 10\n\n")
                answer.event(#"{"jsonrpc":"2.0","method":"a"}"#, id: "e1")
                answer.send("id: e2\ndata: {\"jsonrpc\":")
            case "e1": answer.event(#"{"jsonrpc":"2.0","method":"b"}"#, id: "e2")
            default: answer.event(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, id: "e3")
            }
            answer.close()
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)
                #expect(
                    await lodge.lines(4).dropFirst() == [
                        #"{"jsonrpc":"2.0","method":"a"}"#, #"{"jsonrpc":"2.0","method":"b"}"#,
                        #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
                    ])
                let resumptions = server.requests.filter { $0["Last-Event-ID"] != nil }
                #expect(resumptions.map(\.method) == ["GET", "GET"])
                #expect(resumptions.map { $0["Mcp-Session-Id"] } == ["s1", "s1"])
            }
        }
    }

    /// D4
    @Test("a stream that breaks and cannot be taken up fails its call alone") func broken() async throws {
        let script = Self.server { request, answer in
            if request.body.contains(#""id":2"#) { return answer.json(#"{"jsonrpc":"2.0","id":2,"result":{}}"#) }
            answer.openStream()
            answer.event(#"{"jsonrpc":"2.0","method":"a"}"#)
            answer.close()
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)
                #expect(
                    await lodge.lines(3)[2]
                        == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"the server's event stream ended before the answer came","data":{"reason":"stream-broken","hint":"the server may have acted on the call; look before you repeat it"}}}"#
                )
                #expect(
                    try await lodge.ask(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
                        == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
            }
        }
    }

    /// D4
    @Test("the session's own stream brings what the server says, and is opened again with its last id")
    func ownStream() async throws {
        let script: Script = { request, answer in
            guard request.method == "GET" else { return Self.server { _, _ in }(request, answer) }
            answer.openStream()
            if request["Last-Event-ID"] == nil {
                answer.send("retry: 10\n\n")
                answer.event(#"{"jsonrpc":"2.0","method":"one"}"#, id: "7")
                answer.close()
            } else {
                answer.event(#"{"jsonrpc":"2.0","method":"two"}"#, id: "8")
            }
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                #expect(
                    await lodge.lines(3).dropFirst() == [
                        #"{"jsonrpc":"2.0","method":"one"}"#, #"{"jsonrpc":"2.0","method":"two"}"#,
                    ])
                #expect(server.requests.compactMap { $0["Last-Event-ID"] } == ["7"])
            }
        }
    }

    /// D-G6
    @Test("a session that the server forgot is begun anew, and the call is sent once more") func renewed() async throws
    {
        let script: Script = { request, answer in
            if request.body.contains(#""method":"initialize""#) {
                return answer.json(Self.initialized, ["mcp-session-id": "s\(request.number)"])
            }
            Self.server { request, answer in
                if request["Mcp-Session-Id"] == "s1" { return answer.respond(404, [:], "gone") }
                answer.json(#"{"jsonrpc":"2.0","id":5,"result":{"session":"\#(request["Mcp-Session-Id"] ?? "")"}}"#)
            }(request, answer)
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                let answer = try await lodge.ask(#"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#)
                #expect(answer.hasPrefix(#"{"jsonrpc":"2.0","id":5,"result":{"session":"s"#))
                #expect(!answer.contains(#""s1""#))
                let bodies = server.requests.filter { $0.method == "POST" }.map(\.body)
                #expect(bodies.count == 6)
                #expect(bodies.prefix(2) == bodies.dropFirst(3).prefix(2))
                #expect(bodies[2] == bodies[5])
                #expect(lodge.output.lines.count == 2, "the second handshake is not the client's")
                #expect(!lodge.log.lines(with: "the server has ended the session; a new one is begun").isEmpty)
            }
        }
    }

    /// D-G6
    @Test("where no new session can be begun, the call is told so") func notRenewed() async throws {
        let script: Script = { request, answer in
            if request.number > 3, request.method == "POST" { return answer.respond(404) }
            Self.server { _, answer in answer.respond(404) }(request, answer)
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                let answer = try await lodge.ask(#"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#)
                #expect(
                    answer
                        == #"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"the server has ended the session, and a new one could not be begun","data":{"reason":"session-ended","hint":"start the client's connection anew"}}}"#
                )
            }
        }
    }
}

/// The answers of requests that wait.
final class Held: Sendable {
    private let answers = Mutex<[ScriptedServer.Answer]>([])

    func hold(_ answer: ScriptedServer.Answer) { answers.withLock { $0.append(answer) } }

    /// Answers what is held.
    func release(_ body: (ScriptedServer.Answer) -> Void) {
        let held = answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
        for answer in held { body(answer) }
    }
}
