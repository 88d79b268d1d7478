// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Testing

@testable import Upstreams

@Suite("a conversation with a remote server") struct RemoteConversationTests {
    private var conversation = RemoteConversation()

    private mutating func post(_ line: String) throws -> RemotePost {
        guard case .post(let post) = conversation.take(ByteBuffer(string: line)) else {
            throw Unexpected(line: line)
        }
        return post
    }

    private struct Unexpected: Error { let line: String }

    private mutating func receive(_ text: String, over post: RemotePost? = nil) throws -> RemoteConversation.Receipt {
        let bytes = ByteBuffer(string: text)
        return conversation.received(bytes, try MessageScanner.scan(bytes.readableBytesUInt8Span), over: post)
    }

    private static let initialize =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#
    private static let initialized =
        #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}}"#

    @Test(
        "a line that is no message is answered here",
        arguments: [
            ("{", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"#),
            (#"{"id":7,"method":"a",}"#, #"{"jsonrpc":"2.0","id":7,"error":{"code":-32700,"#),
            (#"{"jsonrpc":"2.0","id":7}"#, #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"#),
            ("7", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#),
        ])
    mutating func noMessage(line: String, start: String) throws {
        guard case .reply(let answer) = conversation.take(ByteBuffer(string: line)) else {
            throw Unexpected(line: line)
        }
        #expect(String(buffer: answer).hasPrefix(start))
    }

    @Test("an empty line is passed by") mutating func emptyLine() {
        guard case .ignore = conversation.take(ByteBuffer(string: " \r")) else { return #expect(Bool(false)) }
    }

    @Test("the handshake's version and session are used afterwards") mutating func handshake() throws {
        let post = try post(Self.initialize)
        #expect(post.role == .initialize)
        #expect(conversation.session == nil)
        conversation.began("abc", by: post)
        guard case .pass(_, let settled?) = try receive(Self.initialized, over: post) else {
            return #expect(Bool(false))
        }
        #expect(settled.number == post.number)
        #expect((conversation.session, conversation.version) == ("abc", "2025-06-18"))
        #expect(conversation.outcome == .succeeded)
        #expect(try self.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).role == .initialized)
        _ = try self.post(Self.initialize)
        #expect(conversation.session == nil, "who begins anew names no session")
    }

    @Test("the first answer is passed on, the second one dropped") mutating func answerTwice() throws {
        let call = try post(#"{"jsonrpc":"2.0","id":"a","method":"x"}"#)
        #expect(conversation.hasOpenCalls)
        guard case .pass = try receive(#"{"jsonrpc":"2.0","id":"a","result":1}"#, over: call) else {
            return #expect(Bool(false))
        }
        #expect(!conversation.hasOpenCalls)
        guard case .drop = try receive(#"{"jsonrpc":"2.0","id":"a","result":1}"#, over: call) else {
            return #expect(Bool(false))
        }
    }

    @Test("a batch is settled with its last answer, and fails in what is left of it") mutating func batch() throws {
        let batch = try post(
            #"[{"jsonrpc":"2.0","id":1,"method":"x"},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":2,"method":"y"}]"#
        )
        #expect(batch.calls == [RawID(1), RawID(2)])
        guard case .pass(_, nil) = try receive(#"{"jsonrpc":"2.0","id":2,"result":1}"#) else {
            return #expect(Bool(false))
        }
        let failed = conversation.fail(batch, .broken).map { String(buffer: $0) }
        #expect(failed.count == 1)
        #expect(failed.first?.hasPrefix(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#) == true)
    }

    @Test("a cancelled call gets no error of ours, but the server's answer") mutating func cancelled() throws {
        let call = try post(#"{"jsonrpc":"2.0","id":1,"method":"x"}"#)
        let other = try post(#"{"jsonrpc":"2.0","id":2,"method":"x"}"#)
        _ = try post(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        #expect(!conversation.isOpen(call))
        #expect(conversation.isOpen(other))
        guard case .pass = try receive(#"{"jsonrpc":"2.0","id":1,"error":{"code":0,"message":"x"}}"#) else {
            return #expect(Bool(false))
        }
        _ = try post(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#)
        #expect(conversation.fail(other, .broken).isEmpty)
    }

    @Test("a new session is begun with the client's own bytes, and its answer is not the client's")
    mutating func renewal() throws {
        let none = conversation.renew()
        #expect(none?.number == nil)
        let post = try post(Self.initialize)
        _ = try receive(Self.initialized, over: post)
        let generation = conversation.generation
        let begun = conversation.renew()
        let renewal = try #require(begun)
        #expect(renewal.bytes == ByteBuffer(string: Self.initialize))
        guard case .swallow = try receive(Self.initialized, over: renewal) else { return #expect(Bool(false)) }
        #expect(conversation.generation == generation + 1)
        let again = conversation.renew()
        let refused = try #require(again)
        guard case .swallow = try receive(#"{"jsonrpc":"2.0","id":0,"error":{}}"#, over: refused) else {
            return #expect(Bool(false))
        }
        #expect(conversation.generation == generation + 1)
        #expect(conversation.fail(refused, .broken).isEmpty)
    }

    @Test("what a head asks for") mutating func heads() throws {
        let call = try post(#"{"jsonrpc":"2.0","id":1,"method":"x"}"#)
        let notice = try post(#"{"jsonrpc":"2.0","method":"x"}"#)
        let first = try post(Self.initialize)
        func judge(
            _ post: RemotePost, _ status: Int, _ type: String? = "application/json", named: Bool = true,
            older: Bool = true
        ) -> RemoteConversation.HeadAction {
            RemoteConversation.judge(
                post, status: status, mediaType: type, namedSession: named, olderMayBe: older)
        }
        #expect(judge(call, 200) == .readMessage)
        #expect(judge(call, 200, "text/event-stream") == .readEvents)
        #expect(judge(call, 202) == .readMessage)
        #expect(judge(notice, 202, nil) == .accepted)
        #expect(judge(call, 404) == .sessionLost)
        #expect(judge(call, 404, named: false) == .refused)
        #expect(judge(first, 404) == .tryOlderTransport)
        #expect(judge(first, 405, older: false) == .refused)
        #expect(judge(first, 401) == .refused)
        #expect(judge(call, 500) == .refused)
    }

    @Test("the outcome is that of the first message until something was answered") mutating func outcomes() throws {
        let first = try post(Self.initialize)
        #expect(conversation.outcome == .untried)
        _ = conversation.fail(first, .refused(401))
        #expect(conversation.outcome == .unauthorized)
        let second = try post(#"{"jsonrpc":"2.0","id":2,"method":"x"}"#)
        _ = conversation.fail(second, .broken)
        #expect(conversation.outcome == .unauthorized)
        let third = try post(#"{"jsonrpc":"2.0","id":3,"method":"x"}"#)
        _ = try receive(#"{"jsonrpc":"2.0","id":3,"result":{}}"#, over: third)
        #expect(conversation.outcome == .succeeded)
    }

    @Test(
        "a JSON-RPC error in a refusal is the answer, under the call's own id",
        arguments: [#""server-error""#, "null", #""x""#])
    mutating func refusal(id: String) throws {
        let call = try post(#"{"jsonrpc":"2.0","id":"x","method":"y"}"#)
        let answer = ByteBuffer(string: "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"error\":{\"code\":-1,\n \"data\":1e400}}")
        let messages = conversation.fail(call, .refused(400, answer: answer)).map { String(buffer: $0) }
        #expect(messages == [#"{"jsonrpc":"2.0","id":"x","error":{"code":-1,  "data":1e400}}"#])
    }

    @Test("a refusal without one is told with its status") mutating func plainRefusal() throws {
        let call = try post(#"{"jsonrpc":"2.0","id":"x","method":"y"}"#)
        let messages = conversation.fail(call, .refused(502, answer: ByteBuffer(string: "<html>")))
        #expect(
            messages.map { String(buffer: $0) } == [
                #"{"jsonrpc":"2.0","id":"x","error":{"code":-32000,"message":"the server refused the message with the HTTP status 502","data":{"reason":"refused","hint":"check that the URL is that of an MCP endpoint, and --transport","status":502}}}"#
            ])
    }
}
