// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeLoad {
    @Suite("streams that break", .timeLimit(.minutes(2))) struct ResumptionTests {
        /// A-G3, A-G5
        @Test("a stream that breaks at 200 seeded points is resumed, and brings every message once and in order")
        func seededCuts() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<8 {
                        group.addTask {
                            for seed in 0..<25 { try await Self.cutCall(lodge, seed: UInt64(worker * 25 + seed)) }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await lodge.reaches { $0["callsInFlight"] == 0 })
                let calls = try await lodge.client().call("count").json?["result"]?["structuredContent"]?["total"]
                #expect(calls == 200)
            }
        }

        /// Makes one call whose connection breaks at seeded bytes, and goes on with it until it has its answer.
        private static func cutCall(_ lodge: LodgeProcess, seed: UInt64) async throws {
            var random = Seeded(seed: seed)
            let steps = Int.random(in: 4...60, using: &random)
            var cuts = (0..<Int.random(in: 1...4, using: &random)).map { _ in Int.random(in: 0...3000, using: &random) }
            let owner = try await lodge.client()
            let call = MCPClient.call("progress", #"{"steps":\#(steps),"label":"\#(seed)"}"#, token: "3")
            var reader = CutReader(connection: owner.connection)
            try await owner.send(call)
            // A client that has not seen an id yet has nothing to come back with.
            try await reader.read(cut: cuts.removeLast(), needsID: true)
            while !reader.isEnded {
                if Bool.random(using: &random) {
                    try await reader.connection.reset()
                } else {
                    await reader.connection.close()
                }
                var again = try await lodge.stranger()
                (again.session, again.version) = (owner.session, owner.version)
                reader.connection = again.connection
                try await again.connection.send(again.request("GET", nil, ["Last-Event-ID": reader.last]))
                try await reader.read(cut: cuts.popLast() ?? .max, needsID: false)
            }
            await reader.connection.close()
            let progress = (1...steps).map { step in
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":3,"progress":\#(step),"total":\#(steps),"message":"\#(seed)"}}"#
            }
            #expect(reader.messages == progress + [MCPClient.text("\(seed)")], "seed \(seed)")
        }

        /// A-G5
        @Test("a call whose stream breaks goes on at the server, and is answered to the client that comes back")
        func callGoesOn() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let (client, other) = (try await lodge.client(), try await lodge.client())
                try await client.send(MCPClient.call("hold", #"{"name":"a"}"#, id: "4", token: "1"))
                _ = try await client.connection.head()
                let last = try #require(try await client.connection.message()?.id)
                try await client.connection.reset()
                _ = try await other.call("release", #"{"name":"a"}"#)
                var again = try await lodge.stranger()
                (again.session, again.version) = (client.session, client.version)
                let answer = try await again.ask("GET", nil, ["Last-Event-ID": last])
                #expect(answer.status == 200)
                #expect(answer.messages == [MCPClient.text("held a", id: "4")])
                // Another session does not know of it.
                (again.session, again.version) = (other.session, other.version)
                #expect(try await again.ask("GET", nil, ["Last-Event-ID": last]).status == 400)
            }
        }

        /// A-G3
        @Test("a session's own stream that breaks brings what came meanwhile, once") func ownStream() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (caller, other) = (try await lodge.client(), try await lodge.client())
                func change(_ item: String) async throws {
                    #expect(try await other.call("test_trigger_\(item)_change").status == 200)
                }
                func news(_ item: String) -> String {
                    #"{"jsonrpc":"2.0","method":"notifications/\#(item)s/list_changed"}"#
                }
                var stream = try await lodge.stranger()
                (stream.session, stream.version) = (caller.session, caller.version)
                try await stream.openStream()
                try await change("tool")
                let first = try #require(try await stream.connection.message())
                #expect(first.data == news("tool"))
                try await stream.connection.reset()
                for item in ["prompt", "resource"] { try await change(item) }
                var again = try await lodge.stranger()
                (again.session, again.version) = (caller.session, caller.version)
                try await again.connection.send(again.request("GET", nil, ["Last-Event-ID": first.id]))
                #expect(try await again.connection.head().status == 200)
                try await change("tool")
                for item in ["prompt", "resource", "tool"] {
                    #expect(try await again.connection.message()?.data == news(item))
                }
            }
        }

        /// A-G5
        @Test("the end of the session gives a call up whose stream had broken") func deleted() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                try await client.send(MCPClient.call("hold", #"{"name":"b"}"#, token: "1"))
                _ = try await client.connection.head()
                _ = try await client.connection.message()
                try await client.connection.reset()
                #expect(try await lodge.status()["callsInFlight"] == 1)
                var again = try await lodge.stranger()
                (again.session, again.version) = (client.session, client.version)
                #expect(try await again.ask("DELETE").status == 200)
                #expect(try await lodge.reaches { $0["callsInFlight"] == 0 })
            }
        }
    }
}

/// Reads an event stream up to a byte of it, and remembers the last whole event, as a client with a bad connection does.
private struct CutReader {
    var connection: RawHTTPClient
    private(set) var messages: [String] = []
    private(set) var last: String?
    /// Whether the stream came to its end.
    private(set) var isEnded = false

    init(connection: RawHTTPClient) { self.connection = connection }

    /// - Parameters:
    ///   - cut: how many bytes of the body are read.
    ///   - needsID: whether at least the first id is read.
    mutating func read(cut: Int, needsID: Bool) async throws {
        let head = try await connection.head()
        try #require(head["Content-Type"] == "text/event-stream")
        var bytes: [UInt8] = []
        var count = 0
        var needsID = needsID
        while count < cut || needsID {
            guard let more = try await connection.body() else {
                isEnded = true
                return
            }
            for byte in more where count < cut || needsID {
                count += 1
                bytes.append(byte)
                guard bytes.suffix(2) == [0x0A, 0x0A] else { continue }
                let event = RawEvent(block: Substring(decoding: bytes, as: UTF8.self))
                bytes = []
                guard let id = event.id else { continue }
                last = id
                needsID = false
                if let data = event.data, !data.isEmpty { messages.append(data) }
            }
        }
    }
}

/// SplitMix64: the same numbers on every machine.
private struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
