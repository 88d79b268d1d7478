// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@Suite("Order of requests on one connection", .timeLimit(.minutes(1)))
struct RequestOrderTests {
    private let health = request("GET", "/healthz")

    @Test("pipelined requests of both kinds are answered in order, however late the relay's answers come")
    func mixed() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)) + health + post(call(2)) + health)
                let first = await relay.nextCall()
                #expect(relay.messages == [call(1)])
                first.answer()
                #expect(try await client.response().text == result(1))
                #expect(try await client.response().text == "ok")
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(2))
                #expect(try await client.response().text == "ok")
            }
        }
    }

    @Test("a relayed request waits for the response of one that went to the router")
    func afterRouter() async throws {
        let relay = FakeRelay { message, sink in
            sink.finish(.message(.init(message.bytes)))
            return .accepted
        }
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let rounds = 50
                try await client.send((0..<rounds).map { health + post(call($0)) }.joined())
                for round in 0..<rounds {
                    #expect(try await client.response().text == "ok")
                    #expect(try await client.response().text == call(round))
                }
            }
        }
    }

    @Test("answers that come in the other order go to their own connections")
    func outOfOrder() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { one in
                try await gateway.connected { other in
                    try await one.send(post(call(1)))
                    let first = await relay.nextCall()
                    try await other.send(post(call(1)))
                    let second = await relay.nextCall()
                    second.answer(#"{"of":"other"}"#)
                    first.answer(#"{"of":"one"}"#)
                    #expect(try await other.response().text == result(1, #"{"of":"other"}"#))
                    #expect(try await one.response().text == result(1, #"{"of":"one"}"#))
                }
            }
        }
    }

    @Test("a thousand pipelined requests that are answered at once need no stack of that depth")
    func manyAtOnce() async throws {
        let relay = FakeRelay { message, sink in
            sink.finish(.message(.init(message.bytes)))
            return .accepted
        }
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send((0..<1000).map { post(call($0)) }.joined())
                for round in 0..<1000 { #expect(try await client.response().text == call(round)) }
            }
        }
    }

    @Test("a client that pipelines without end is not read any more while its first call is in flight")
    func bounded() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let text = String(repeating: "x", count: 64 << 10)
                let long = #"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"text":"\#(text)"}}"#
                try await client.send(post(call(1)))
                let first = await relay.nextCall()
                try await client.send((0..<40).map { _ in post(long) }.joined())
                first.answer()
                #expect(try await client.response().text == result(1))
                for _ in 0..<40 {
                    await relay.nextCall().answer()
                    #expect(try await client.response().text == result(2))
                }
            }
        }
    }
}
