// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("Connections", .timeLimit(.minutes(1)))
struct ConnectionTests {
    private let health = request("GET", "/healthz")

    @Test("whoever expects 100 Continue gets it before sending the body")
    func expectContinue() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let whole = post(call(1), [("Expect", "100-continue")])
                let body = call(1)
                try await client.send(String(whole.dropLast(body.count)))
                #expect(try await client.response().status == 100)
                try await client.send(body)
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(1))
            }
        }
    }

    @Test("whoever expects 100 Continue and is refused gets the refusal alone, and the connection ends")
    func expectRefused() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                let whole = post(call(1), [("Expect", "100-continue"), ("Content-Type", "text/plain")])
                try await client.send(String(whole.dropLast(call(1).count)))
                let response = try await client.response()
                #expect(response.status == 415)
                #expect(response["Connection"] == "close")
            }
        }
    }

    @Test("Connection: close ends the connection after the response, and what was pipelined behind it is not answered")
    func connectionClose() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), [("Connection", "close")]) + health)
                await relay.nextCall().answer()
                let response = try await client.response()
                #expect(response["Connection"] == "close")
                await #expect(throws: RawHTTPError.closed(waitingFor: "the head of a response")) {
                    try await client.response()
                }
            }
        }
    }

    @Test("Connection: close holds for the router's paths too", arguments: ["1.1", "1.0"])
    func routerClose(version: String) async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                let close = version == "1.1" ? "Connection: close\r\n" : ""
                try await client.send("GET /healthz HTTP/\(version)\r\nHost: localhost\r\n\(close)\r\n" + health)
                #expect(try await client.response()["Connection"] == "close")
                await #expect(throws: RawHTTPError.closed(waitingFor: "the head of a response")) {
                    try await client.response()
                }
            }
        }
    }

    @Test("HTTP/1.0 closes unless it asks to keep the connection", arguments: [true, false])
    func oldVersion(keepsAlive: Bool) async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), version: "1.0", keepsAlive ? [("Connection", "keep-alive")] : []))
                await relay.nextCall().answer()
                #expect(try await client.response()["Connection"] == (keepsAlive ? "keep-alive" : "close"))
                if keepsAlive {
                    try await client.send(health)
                    #expect(try await client.response().text == "ok")
                } else {
                    try await client.closed()
                }
            }
        }
    }

    @Test("a client that leaves gives its call up", arguments: ["close", "reset", "half-close"])
    func left(how: String) async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            let client = try await RawHTTPClient.connect(to: gateway.address)
            try await client.send(post(call(1)))
            let call = await relay.nextCall()
            switch how {
            case "close": await client.close()
            case "reset": try await client.reset()
            default: try await client.finishSending()
            }
            #expect(await relay.nextWithdrawal() == 1)
            call.answer()
            await client.close()
        }
    }

    @Test("a call that was answered is not given up when its client leaves")
    func answered() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)))
                await relay.nextCall().answer()
                _ = try await client.response()
            }
            try await gateway.connected { client in
                try await client.send(post(call(2)))
                _ = await relay.nextCall()
            }
            #expect(await relay.nextWithdrawal() == 1)
        }
    }

    @Test("a half-closed connection still gets the answer of the router")
    func halfClosedRouter() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                try await client.send(health)
                try await client.finishSending()
                #expect(try await client.response().text == "ok")
                try await client.closed()
            }
        }
    }

    @Test(
        "a request that does not arrive in time is answered with 408, in its head or in its body",
        arguments: [
            "POST /mcp HTTP/1.1\r\nHost: local", String(post(call(1)).dropLast(1)),
        ])
    func tooSlow(beginning: String) async throws {
        var configuration = GatewayConfiguration()
        configuration.limits.requestArrival = .milliseconds(50)
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                try await client.send(beginning)
                let response = try await client.response()
                #expect(response.status == 408)
                #expect(response.text == failure(-32600, "the request took too long to arrive; send it at once"))
                #expect(relay.messages.isEmpty)
                await client.close()
            }
        }
    }

    @Test("a new connection that brings nothing is closed")
    func silent() async throws {
        var configuration = GatewayConfiguration()
        configuration.limits.newConnection = .milliseconds(50)
        try await GatewayFixture.run([FakeRelay()], configuration: configuration) { gateway in
            try await gateway.connected { client in try await client.closed() }
        }
    }

    @Test("a connection that is kept for nothing is closed", arguments: [true, false])
    func idle(relayed: Bool) async throws {
        var configuration = GatewayConfiguration()
        configuration.limits.idle = .milliseconds(50)
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                try await client.send(relayed ? post(call(1)) : health)
                if relayed { await relay.nextCall().answer() }
                #expect(try await client.response().status == 200)
                try await client.closed()
            }
        }
    }

    @Test("a thousand clients that are killed in the middle of calls leave nothing behind")
    func manyLeave() async throws {
        let tally = Tally()
        let relay = FakeRelay { message, _ in
            guard message.text != call(-1) else { return nil }
            tally.arrived.add(1, ordering: .relaxed)
            tally.arrivals.put(())
            return .pending(CallTicket { tally.withdrawn.add(1, ordering: .relaxed) })
        }
        try await GatewayFixture.run([relay]) { gateway in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for round in 0..<1000 {
                    if round >= 16 { try await group.next() }
                    group.addTask {
                        let client = try await RawHTTPClient.connect(to: gateway.address)
                        try await client.send(post(call(round)))
                        // Every other one is killed while its call is certainly in flight.
                        if round.isMultiple(of: 2) { await tally.arrivals.next() }
                        try await client.reset()
                    }
                }
                try await group.waitForAll()
            }
            // Connections are accepted in order: once this one is served, all of them were.
            try await gateway.connected { client in
                try await client.send(post(call(-1)))
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(-1))
            }
            try await gateway.settle { $0.connections.load(ordering: .relaxed) == 0 }
            try await gateway.settle { $0.exchanges.load(ordering: .relaxed) == 0 }
            #expect(tally.arrived.load(ordering: .relaxed) >= 500)
            #expect(tally.withdrawn.load(ordering: .relaxed) == tally.arrived.load(ordering: .relaxed))
        }
    }

    /// What a relay saw that keeps no sink.
    private final class Tally: Sendable {
        let arrived = Atomic<Int>(0)
        let withdrawn = Atomic<Int>(0)
        let arrivals = Mailbox<Void>()
    }
}

extension ClientMessage {
    fileprivate var text: String { String(buffer: bytes) }
}
