// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import HTTPTypes
import Hummingbird
import JSONRPC
import MCPProtocol
import NIOCore
import NIOHTTP1

/// Answers every request that is not a message or a stream of a session.
///
/// Host and Origin were judged before, by the ``RelayHandler``; the token is judged here, by the same policy. The
/// answer to an unknown path tells a client with a token which paths there are, and one without nothing.
struct GatewayResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let core: GatewayCore

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        var response = response(to: request)
        if let origin = request.headers[.origin], let shared = core.policy.sharedOrigin(origin) {
            response.headers.add(CrossOrigin.fields(sharing: shared, exposing: core.exposedHeaders))
            if request.method == .options {
                let asked = HTTPField.Name("Access-Control-Request-Headers").flatMap { request.headers[$0] }
                response.headers.add(CrossOrigin.preflight(asked: asked))
            }
        }
        if request.method == .head {
            let length = response.body.contentLength
            response.body = ResponseBody()
            // After the body, which brings a length of its own.
            response.headers[.contentLength] = length.map(String.init)
        }
        return response
    }

    private func response(to request: Request) -> Response {
        let method = request.method
        switch core.routes.endpoint(at: request.uri.path) {
        case .server(let relay): return endpoint(of: relay, request)
        case .events(let relay, _): return transportEndpoint(of: relay, request, allowed: "GET")
        case .messages(let relay): return transportEndpoint(of: relay, request, allowed: "POST")
        case .noServer:
            if method == .options { return options("POST, GET, DELETE") }
            return withGrant(request) { .refusal(.unknownPath(paths: core.routes.paths(for: $0))) }
        case .health:
            return reading(request) { core.healthIsReadiness ? readiness("ok") : .text("ok") }
        case .readiness:
            return reading(request) { readiness("ready") }
        case .status:
            if method == .options { return options("GET") }
            return withGrant(request) { grant in reading(request) { .json(StatusDocument.make(core, grant)) } }
        case .metrics:
            if method == .options { return options("GET") }
            return withGrant(request) { grant in
                reading(request) { .text(MetricsDocument.make(core, grant), type: PrometheusText.contentType) }
            }
        case .authorizationDiscovery: return .refusal(.noAuthorizationServer)
        case .nothing:
            let grant = try? core.policy.grant(authorization: request.headers[.authorization]).get()
            return .refusal(.unknownPath(paths: grant.map(core.routes.paths)))
        }
    }

    private func readiness(_ word: String) -> Response {
        core.routes.servers.allSatisfy(\.isReady) ? .text(word) : .text("not-ready", status: .serviceUnavailable)
    }

    private func endpoint(of relay: any ServerRelay, _ request: Request) -> Response {
        if request.method == .options { return options(relay.allowedMethods) }
        return withGrant(request) { grant in
            guard relay.isReached(by: grant.servers) else {
                return .refusal(.unknownPath(paths: core.routes.paths(for: grant)))
            }
            guard request.method == .delete, !relay.isStateless else {
                return .refusal(.wrongMethod(allowed: relay.allowedMethods))
            }
            // The modern era has no other method than POST.
            if request.headers[.mcpSessionID] == nil,
                request.headers[.mcpProtocolVersion].map(ModernRevision.isNamed(by:)) == true
            {
                return .refusal(.wrongMethod(allowed: "POST"))
            }
            return end(request, relay, grant.principal)
        }
    }

    /// What the ``RelayHandler`` leaves of the 2024-11-05 transport: the methods that its paths do not have.
    private func transportEndpoint(of relay: any ServerRelay, _ request: Request, allowed: String) -> Response {
        if request.method == .options { return options(allowed) }
        return withGrant(request) { grant in
            guard relay.isReached(by: grant.servers) else {
                return .refusal(.unknownPath(paths: core.routes.paths(for: grant)))
            }
            return .refusal(.wrongMethod(allowed: allowed))
        }
    }

    /// DELETE: the client ends its session.
    private func end(_ request: Request, _ relay: any ServerRelay, _ principal: Principal) -> Response {
        if let version = request.headers[.mcpProtocolVersion], ProtocolVersion(rawValue: version) == nil {
            return .refusal(.unknownVersion)
        }
        guard let session = request.headers[.mcpSessionID] else { return .refusal(.missingSession) }
        guard RequestFields.isSessionID(session) else { return .refusal(.malformedSession) }
        guard relay.endSession(session, principal: principal) else { return .refusal(.unknownSession) }
        core.streams.forget(session: session)
        return Response(status: .ok)
    }

    private func withGrant(_ request: Request, _ body: (Grant) -> Response) -> Response {
        switch core.policy.grant(authorization: request.headers[.authorization]) {
        case .success(let grant): body(grant)
        case .failure(let refusal): .refusal(refusal)
        }
    }

    private func reading(_ request: Request, _ body: () -> Response) -> Response {
        switch request.method {
        case .get, .head: body()
        case .options: options("GET")
        default: .refusal(.wrongMethod(allowed: "GET"))
        }
    }

    private func options(_ allowed: String) -> Response {
        Response(status: .noContent, headers: [.allow: allowed])
    }
}

extension ServerRelay {
    /// What `Allow` says of the server's MCP endpoint.
    var allowedMethods: String { isStateless ? "POST" : "POST, GET, DELETE" }
}

extension HTTPField.Name {
    // Literals that are valid names; the initialiser that checks would make them optional.
    static let mcpSessionID = Self(validated: "Mcp-Session-Id")
    static let mcpProtocolVersion = Self(validated: "MCP-Protocol-Version")

    private init(validated name: String) {
        guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is not a header name") }
        self = name
    }
}

extension HTTPFields {
    fileprivate mutating func add(_ fields: [(String, String)]) {
        for (name, value) in fields {
            guard let name = HTTPField.Name(name) else { continue }
            append(HTTPField(name: name, value: value))
        }
    }
}

extension Response {
    fileprivate static func refusal(_ refusal: GatewayRefusal) -> Response {
        var response = json(refusal.body(), status: .init(code: Int(refusal.status.code)))
        response.headers.add(refusal.headers.map { ($0.name, $0.value) })
        return response
    }

    fileprivate static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    fileprivate static func text(
        _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
