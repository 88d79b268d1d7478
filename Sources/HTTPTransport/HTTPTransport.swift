// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Sends requests to one origin and hands out responses as they stream in.
///
/// It knows no MCP, retries nothing and limits no response in time: only a connection has to come about in time.
/// Redirects are followed within the origin; a response that leads elsewhere is an error, so that no header of the
/// caller reaches another server. Its owner ends it with ``shutDown()``, after every response was read or cancelled.
package final class HTTPTransport: Sendable {
    /// How the origin is reached.
    package struct Settings: Sendable {
        package var verification: TLSVerification = .system
        package var proxy: ForwardProxy?
        /// For the TCP connection, the proxy's consent and the TLS handshake.
        package var connectTimeout: Duration = .seconds(10)

        package init() {}
    }

    /// How many redirects of one request are followed.
    package static let redirectLimit = 5
    /// A stream keeps its connection, so a call must never wait for another's end.
    private static let connectionLimit = 4096
    /// Shorter than what servers wait for: on a connection that they close meanwhile a request would be lost.
    private static let idleConnection = TimeAmount.seconds(3)

    private let client: HTTPClient

    package init(_ settings: Settings) throws(HTTPTransportError) {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try settings.verification.configuration(), redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(settings.connectTimeout)),
            connectionPool: .init(
                idleTimeout: Self.idleConnection, concurrentHTTP1ConnectionsPerHostSoftLimit: Self.connectionLimit),
            proxy: settings.proxy?.libraryProxy)
        // A failure to connect is the caller's to see; the library would try again until the time is over.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Sends a request and answers once the head of its response is there.
    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        var request = request
        let origin = request.address
        for _ in 0...Self.redirectLimit {
            let response = try await sendOnce(request)
            guard [301, 302, 303, 307, 308].contains(response.status), let location = response["Location"] else {
                return response
            }
            _ = try await response.body.collect(upTo: 1 << 20)
            request = try Self.follow(location, response.status, request, origin: origin)
        }
        throw HTTPTransportError(
            .redirected, "\(origin) redirected more than \(Self.redirectLimit) times")
    }

    /// Closes every connection.
    package func shutDown() async {
        // It fails only where it was shut down before.
        try? await client.shutdown()
    }

    private func sendOnce(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        var sent = HTTPClientRequest(url: request.address.text)
        sent.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in request.fields { sent.headers.replaceOrAdd(name: field.name, value: field.value) }
        let connection = ConnectionSeen(request.sent)
        if let body = request.body {
            sent.body = .stream(
                TrackedBody(bytes: body, seen: connection), length: .known(Int64(body.readableBytes)))
        }
        do {
            let response = try await client.execute(sent, deadline: .distantFuture)
            return HTTPResponse(
                status: Int(response.status.code),
                fields: response.headers.map { HTTPField($0.name, $0.value) }, body: HTTPBody(body: response.body))
        } catch {
            throw HTTPTransportError(error, isConnected: connection.isOpen)
        }
    }

    private static func follow(
        _ location: String, _ status: Int, _ request: HTTPRequest, origin: WebAddress
    ) throws(HTTPTransportError) -> HTTPRequest {
        guard let target = request.address.resolving(location) else {
            throw HTTPTransportError(.redirected, "\(request.address) redirects to what is no URL")
        }
        guard target.hasSameOrigin(as: origin) else {
            throw HTTPTransportError(
                .redirected, "\(request.address) redirects to \(target.origin), which is another server")
        }
        // 301 and 302 let a client keep its method (RFC 9110 section 15.4); only 303 asks for another one.
        guard status != 303 || request.method == .get else {
            throw HTTPTransportError(.redirected, "\(request.address) answers with a redirect to another page")
        }
        var next = request
        next.address = target
        return next
    }
}

extension ForwardProxy {
    fileprivate var libraryProxy: HTTPClient.Configuration.Proxy {
        switch kind {
        case .socks: return .socksServer(host: host, port: port)
        case .http:
            guard let user else { return .server(host: host, port: port) }
            return .server(
                host: host, port: port, authorization: .basic(username: user, password: password ?? ""))
        }
    }
}
