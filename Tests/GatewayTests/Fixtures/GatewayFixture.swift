// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Gateway
import LodgeTestSupport
import Logging
import NIOCore
import NIOPosix

/// A gateway that listens on a free loopback port while a test's body runs.
struct GatewayFixture {
    let address: RawHTTPClient.Address
    let meters: GatewayMeters

    static let token = "lodge_right"

    /// - Parameter tokens: what opens the gateway; nil switches authentication off.
    static func run(
        _ servers: [any ServerRelay], tokens: [String: Grant]? = nil, configuration: GatewayConfiguration = .init(),
        _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let authentication: any Authenticating =
            tokens.map { tokens in GrantAuthentication(GrantTable(tokens)) { String($0) } } ?? OpenAuthentication()
        try await run(servers, authentication: authentication, configuration: configuration, body)
    }

    static func run(
        _ servers: [any ServerRelay], authentication: any Authenticating,
        configuration: GatewayConfiguration = .init(), _ body: (GatewayFixture) async throws -> Void
    ) async throws {
        let bound = Mailbox<GatewayService.Bound>()
        let service = GatewayService(
            configuration, servers: servers, authentication: authentication,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        ) { bound.put($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            let address: RawHTTPClient.Address =
                switch await bound.next() {
                case .tcp(let host, let port): .tcp(host: host, port: port)
                case .unix(let path): .unix(path: path)
                }
            let result = await Swift.Result { () async throws in
                try await body(GatewayFixture(address: address, meters: service.meters))
            }
            group.cancelAll()
            try result.get()
        }
    }

    /// Waits until the gateway holds what it should; a test's own time limit ends a wait in vain.
    func settle(_ isSettled: (GatewayMeters) -> Bool) async throws {
        while !isSettled(meters) {
            try Task.checkCancellation()
            // Every turn of an event loop lets it end what it has to end.
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
        }
    }

    /// Opens a connection for the body, and closes it afterwards.
    func connected<Result: Sendable>(_ body: (RawHTTPClient) async throws -> Result) async throws -> Result {
        try await RawHTTPClient.withConnection(to: address, body)
    }

    /// Sends one request on a connection of its own and reads the response.
    func respond(to request: String) async throws -> RawHTTPResponse {
        try await connected { client in
            try await client.send(request)
            return try await client.response()
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}

/// A request as bytes, right in everything that a test does not make wrong.
func post(
    _ body: String, to path: String = "/mcp", version: String = "1.1", without dropped: [String] = [],
    _ more: [(String, String)] = []
) -> String {
    var fields = [
        ("Host", "localhost"), ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
        ("Content-Length", String(body.utf8.count)),
    ]
    fields.removeAll { field in
        dropped.contains(field.0) || more.contains { $0.0 == field.0 }
    }
    let lines = (fields + more).map { "\($0.0): \($0.1)\r\n" }.joined()
    return "POST \(path) HTTP/\(version)\r\n\(lines)\r\n\(body)"
}

func request(_ method: String, _ path: String, _ fields: [(String, String)] = [("Host", "localhost")]) -> String {
    "\(method) \(path) HTTP/1.1\r\n\(fields.map { "\($0.0): \($0.1)\r\n" }.joined())\r\n"
}

func call(_ id: Int, method: String = "tools/call") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{}}"#
}

func result(_ id: Int, _ result: String = "{}") -> String {
    #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#
}

func failure(_ code: Int, _ message: String) -> String {
    #"{"jsonrpc":"2.0","id":null,"error":{"code":\#(code),"message":"\#(message)"}}"#
}
