// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import LodgeTestSupport
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Upstreams

/// A session in this process: its lines come from the test, its limits are small (D4).
@Suite("a session with a remote server", .timeLimit(.minutes(1))) struct RemoteSessionTests {
    /// What a session wrote, and a way to wait for it.
    final class Output: RemoteOutput {
        private let lines = AsyncStream<String>.makeStream()

        func write(_ message: ByteBuffer) async throws { lines.continuation.yield(String(buffer: message)) }
        func finish(within limit: Duration) { lines.continuation.finish() }

        func next(_ count: Int) async -> [String] {
            var seen: [String] = []
            for await line in lines.stream {
                seen.append(line)
                if seen.count == count { break }
            }
            return seen
        }
    }

    /// Runs a session whose lines the body says.
    private func withSession(
        _ server: ScriptedServer, message: Int = 4000,
        _ body: (AsyncStream<RemoteLine>.Continuation, Output) async throws -> Void
    ) async throws {
        let lines = AsyncStream<RemoteLine>.makeStream()
        let output = Output()
        let transport = try HTTPTransport(HTTPTransport.Settings())
        var limits = RemoteLimits(message: message)
        limits.grace = .milliseconds(100)
        limits.reconnect = .milliseconds(1)
        let session = RemoteSession(
            RemoteServer(address: try WebAddress(server.url + "/mcp"), wire: .http), transport: transport,
            output: output, limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let end = Arrival<Void>()
        async let status = session.run(lines: lines.stream, inputEnd: Arrival()) { await end.wait() }
        do {
            try await body(lines.continuation, output)
        } catch {
            end.set()
            _ = await status
            await transport.shutDown()
            throw error
        }
        end.set()
        #expect(await status == 0)
        await transport.shutDown()
    }

    private static func call(_ id: Int) -> RemoteLine {
        .line(ByteBuffer(string: #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call"}"#))
    }

    private static func result(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    private static func id(of request: ScriptedServer.Request) -> Int {
        request.body.firstMatch(of: #/"id":(\d+)/#).flatMap { Int($0.1) } ?? 0
    }

    @Test("an answer over the limit fails its call alone, as a body and as an event") func tooLong() async throws {
        let long = String(repeating: "x", count: 5000)
        try await ScriptedServer.with({ request, answer in
            let id = Self.id(of: request)
            let body = #"{"jsonrpc":"2.0","id":\#(id),"result":"\#(long)"}"#
            switch id {
            case 1: answer.json(body)
            case 2:
                answer.openStream()
                answer.event(body)
            default: answer.json(Self.result(id))
            }
        }) { server in
            try await withSession(server) { lines, output in
                for id in 1...3 {
                    lines.yield(Self.call(id))
                    let answer = await output.next(1).first ?? ""
                    let expected =
                        id == 3
                        ? Self.result(3)
                        : #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32000,"message":"the server's answer is over the limit of 4000 bytes","data":{"reason":"unusable-answer","hint":"ask for less at a time"}}}"#
                    #expect(answer == expected)
                }
            }
        }
    }

    @Test("a line over the limit is answered, and goes nowhere") func longLine() async throws {
        try await ScriptedServer.with({ request, answer in answer.json(Self.result(Self.id(of: request))) }) { server in
            try await withSession(server, message: 1 << 20) { lines, output in
                lines.yield(.tooLong(.init(id: RawID(7), hasMethod: true)))
                lines.yield(.tooLong(.init(id: RawID(8), hasMethod: false)))
                lines.yield(Self.call(9))
                let answers = await output.next(3)
                #expect(
                    answers == [
                        #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"the message is over the limit of 1 MiB; send less at a time"}}"#,
                        #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"the message is over the limit of 1 MiB; send less at a time"}}"#,
                        Self.result(9),
                    ])
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test("a stream that is cut anywhere, again and again, brings every message once, in 200 seeded calls")
    func cuts() async throws {
        // Each call is answered by six events; its connections end at a seeded byte, in an event or between two.
        let random = Mutex(Seeded(state: 0xC07))
        @Sendable func events(of call: Int, after last: Int) -> [String] {
            (last + 1..<6).map { step in
                let data =
                    step == 5
                    ? Self.result(call) : #"{"jsonrpc":"2.0","method":"step","params":{"of":\#(call),"is":\#(step)}}"#
                return "id: \(call)-\(step)\ndata: \(data)\n\n"
            }
        }
        try await ScriptedServer.with({ request, answer in
            let last = (request["Last-Event-ID"] ?? "").split(separator: "-").compactMap { Int($0) }
            let call = last.first ?? Self.id(of: request)
            answer.openStream()
            let text = events(of: call, after: last.last ?? 0).joined()
            if last.isEmpty { answer.send("id: \(call)-0\nretry: 1\ndata:\n\n") }
            // One in four is cut; five in a row without an event would be the end of the call.
            let cut = random.withLock { Int.random(in: 0...(4 * text.utf8.count), using: &$0) }
            answer.send(String(text.prefix(cut)))
            answer.close()
        }) { server in
            try await withSession(server) { lines, output in
                for call in 1...200 {
                    lines.yield(Self.call(call))
                    let seen = await output.next(5)
                    let expected = (1...5).map { step in
                        step == 5
                            ? Self.result(call)
                            : #"{"jsonrpc":"2.0","method":"step","params":{"of":\#(call),"is":\#(step)}}"#
                    }
                    try #require(seen == expected)
                }
                #expect(server.requests.count { $0["Last-Event-ID"] != nil } > 50)
            }
        }
    }
}

/// A generator whose numbers are the same in every run.
private struct Seeded: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
