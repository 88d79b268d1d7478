// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import Gateway

@Suite("Shutdown in good order", .timeLimit(.minutes(1)))
struct ShutdownTests {
    /// Runs a gateway until its body has asked for its shutdown, and waits for its end.
    private func run(
        _ relay: FakeRelay, grace: TimeAmount = .seconds(30), listen: GatewayConfiguration.Listen? = nil,
        _ body: @Sendable @escaping (RawHTTPClient.Address, ServiceGroup) async throws -> Void
    ) async throws {
        var configuration = GatewayConfiguration()
        if let listen { configuration.listen = listen }
        configuration.limits.shutdownGrace = grace
        let bound = Mailbox<GatewayService.Bound>()
        let logger = Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        let service = GatewayService(
            configuration, servers: [relay], authentication: OpenAuthentication(),
            group: MultiThreadedEventLoopGroup.singleton, logger: logger
        ) { bound.put($0) }
        let group = ServiceGroup(services: [service], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            switch await bound.next() {
            case .tcp(let host, let port): try await body(.tcp(host: host, port: port), group)
            case .unix(let path): try await body(.unix(path: path), group)
            }
            try await tasks.waitForAll()
        }
    }

    @Test("a call in flight is answered, and its connection closed with the answer")
    func inFlight() async throws {
        let relay = FakeRelay()
        try await run(relay) { address, group in
            let client = try await RawHTTPClient.connect(to: address)
            try await client.send(post(call(1)))
            let call = await relay.nextCall()
            let idle = try await RawHTTPClient.connect(to: address)
            try await idle.send(request("GET", "/healthz"))
            _ = try await idle.response()
            await group.triggerGracefulShutdown()
            try await idle.closed()
            call.answer()
            let response = try await client.response()
            #expect(response.text == result(1))
            #expect(response["Connection"] == "close")
            try await client.closed()
        }
    }

    @Test("a call that takes longer than the grace is given up")
    func givenUp() async throws {
        let relay = FakeRelay()
        try await run(relay, grace: .milliseconds(50)) { address, group in
            let client = try await RawHTTPClient.connect(to: address)
            try await client.send(post(call(1)))
            _ = await relay.nextCall()
            await group.triggerGracefulShutdown()
            #expect(await relay.nextWithdrawal() == 1)
            try await client.closed()
        }
    }

    @Test("a session's stream ends at once")
    func stream() async throws {
        let relay = FakeRelay()
        relay.addSession("s-1")
        try await run(relay) { address, group in
            let client = try await RawHTTPClient.connect(to: address)
            try await client.send(request("GET", "/mcp", [("Host", "localhost"), ("Mcp-Session-Id", "s-1")]))
            _ = try await client.head()
            await group.triggerGracefulShutdown()
            #expect(try await client.message() == nil)
            try await client.closed()
        }
    }

    @Test("a subscription of a modern client ends at once, and another modern request with its answer")
    func subscription() async throws {
        let relay = FakeRelay()
        try await run(relay) { address, group in
            let (listener, caller) = (
                try await RawHTTPClient.connect(to: address), try await RawHTTPClient.connect(to: address)
            )
            for (client, method) in [(listener, "subscriptions/listen"), (caller, "tools/list")] {
                try await client.send(post(modern(1, method), copies(method)))
                let call = await relay.nextCall()
                call.sink.deliver(MessageBytes(ByteBuffer(string: "{}")))
                #expect(try await client.head()["Content-Type"] == "text/event-stream")
                #expect(try await client.message()?.data == "{}")
                guard method == "tools/list" else { continue }
                await group.triggerGracefulShutdown()
                #expect(await relay.nextWithdrawal() == 1)
                let meta = #""_meta":{"io.modelcontextprotocol/subscriptionId":1}"#
                let farewell = result(1, #"{"resultType":"complete",\#(meta)}"#)
                let end = try await listener.message()
                #expect(end == RawEvent(block: "event: message\ndata: \(farewell)"))
                #expect(try await listener.message() == nil)
                try await listener.closed()
                call.answer()
                #expect(try await caller.message()?.data == result(1))
                try await caller.closed()
            }
        }
    }

    @Test("connections that come while it shuts down do no harm")
    func race() async throws {
        for _ in 0..<20 {
            let relay = FakeRelay()
            try await run(relay, grace: .milliseconds(20)) { address, group in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    for round in 0..<32 {
                        tasks.addTask {
                            // The gateway may be gone already, which is not what this is about.
                            guard let client = try? await RawHTTPClient.connect(to: address) else { return }
                            await client.close()
                        }
                        if round == 16 { await group.triggerGracefulShutdown() }
                    }
                    try await tasks.waitForAll()
                }
            }
        }
    }

    @Test("a socket file is for its owner only, and is gone afterwards")
    func socketFile() async throws {
        try await withScratchDirectory { directory in
            let path = directory + "/lodge.sock"
            try await run(FakeRelay(), listen: .unix(path: path)) { address, group in
                let mode = try await FileInfo.mode(of: path)
                #expect(mode == 0o600)
                try await RawHTTPClient.withConnection(to: address) { client in
                    try await client.send(request("GET", "/healthz"))
                    #expect(try await client.response().text == "ok")
                }
                await group.triggerGracefulShutdown()
            }
            await #expect(throws: (any Error).self) { try await FileInfo.mode(of: path) }
        }
    }
}
