// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import MCPProtocol
import NIOCore
import NIOHTTP1

/// What is decided on the head of a request, before its body.
extension RelayHandler {
    func receive(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        if receiveAgain(head) { return }
        let fields = RequestFields(head.headers)
        let target = RequestTarget(head.uri)
        request = RequestInHand()
        request.start = arrivalStart ?? .now()
        request.version = head.version
        request.keepsAlive = head.isKeepAlive && !fields.wantsUpgrade && shutdownDeadline == nil
        request.isHead = head.method == .HEAD
        arrivalStart = nil
        hasServed = true
        phase = .collecting
        if let refusal = core.policy.refusal(of: fields, authority: target.authority) { return refuse(refusal) }
        if let origin = fields.origin { request.sharedOrigin = core.policy.sharedOrigin(origin) }

        switch (head.method, core.routes.endpoint(at: target.path)) {
        case (.POST, .server(let relay)): acceptMessage(to: relay, fields, head)
        case (.GET, .server(let relay)): acceptStream(of: relay, fields)
        case (.GET, .events(let relay, let messages)): acceptTransportStream(of: relay, messages: messages, fields)
        case (.POST, .messages(let relay)): acceptTransportMessage(to: relay, target, fields, head)
        default:
            var head = head
            if target.authority != nil { head.uri = target.originForm }
            phase = .routed(requestEnded: false, responseEnded: false)
            passOn(.head(head), context: context)
        }
    }

    private func acceptMessage(to relay: any ServerRelay, _ fields: RequestFields, _ head: HTTPRequestHead) {
        if let refusal = admit(to: relay, fields) ?? refusal(ofMessageWith: fields, answeredHere: true) {
            return refuseMessage(refusal, fields)
        }
        request.purpose = .message
        if core.readsLeniently {
            request.takesStream = fields.accepted?.contains(.eventStream) ?? false
            request.versionIsUnknown = false
        }
        awaitBody(head, fields)
    }

    func refuseMessage(_ refusal: GatewayRefusal, _ fields: RequestFields) {
        // Whoever waits for "continue" may or may not send the body of a refused request: where the next one
        // begins cannot be told.
        if fields.expectsContinue { request.keepsAlive = false }
        refuse(refusal)
    }

    /// Lets the body of a message come.
    func awaitBody(_ head: HTTPRequestHead, _ fields: RequestFields) {
        remember(head, fields)
        if fields.expectsContinue, request.version != .http1_0 { writeContinue() }
    }

    /// Takes a head that is the last one again; false where it has to be read.
    private func receiveAgain(_ head: HTTPRequestHead) -> Bool {
        guard let lastHead, shutdownDeadline == nil,
            let length = lastHead.length(of: head, grants: core.policy.authentication.generation),
            length <= core.limits.requestBody
        else { return false }
        request = lastHead.request
        request.start = arrivalStart ?? .now()
        arrivalStart = nil
        phase = .collecting
        return true
    }

    /// Keeps a head that asks for nothing out of the ordinary.
    private func remember(_ head: HTTPRequestHead, _ fields: RequestFields) {
        guard request.keepsAlive, request.version == .http1_1, !fields.expectsContinue else { return }
        lastHead = AdmittedHead(head, request)
    }

    /// - Parameter answeredHere: whether the answer is the response, whose form the client has to take.
    func refusal(ofMessageWith fields: RequestFields, answeredHere: Bool) -> GatewayRefusal? {
        if !core.readsLeniently {
            guard let type = fields.contentType, MediaTypes.isJSON(contentType: type) else { return .notJSONContent }
            if answeredHere, let accepted = fields.accepted, accepted != .both { return .postNotAcceptable }
        }
        if fields.isEncoded { return .encodedBody }
        if let length = fields.contentLength, length > core.limits.requestBody {
            return .tooLarge(limit: core.limits.requestBody)
        }
        return fields.expectsUnknown ? .unknownExpectation : nil
    }

    private func acceptStream(of relay: any ServerRelay, _ fields: RequestFields) {
        if let refusal = admit(to: relay, fields) ?? request.headerRefusal { return refuse(refusal) }
        // The modern era has no other method than POST (2026-07-28, Streamable HTTP, earlier revisions).
        if request.namesModern, fields.session == nil { return refuse(.wrongMethod(allowed: "POST")) }
        if request.isStateless { return refuse(.wrongMethod(allowed: relay.allowedMethods)) }
        if let accepted = fields.accepted, !accepted.contains(.eventStream) { return refuse(.getNotAcceptable) }
        if request.versionIsUnknown { return refuse(.unknownVersion) }
        if request.session == nil { return refuse(.missingSession) }
        request.purpose = .stream(after: fields.lastEventID)
    }

    /// The token, what it reaches, and the MCP headers; what is found out is kept with the request.
    func admit(to relay: any ServerRelay, _ fields: RequestFields) -> GatewayRefusal? {
        // Read first: a grant that is revoked while it is looked up must not be remembered under the later number.
        request.grants = core.policy.authentication.generation
        switch core.policy.grant(authorization: fields.authorization) {
        case .failure(let refusal): return refusal
        case .success(let grant):
            guard relay.isReached(by: grant.servers) else { return .unknownPath(paths: core.routes.paths(for: grant)) }
            request.principal = grant.principal
            request.servers = grant.servers
            request.grantExpiry = grant.expiry
        }
        request.relay = relay
        request.isStateless = relay.isStateless
        readVersion(fields)
        if !request.isStateless, !request.namesModern, let session = fields.session {
            request.sessionIsMalformed = !RequestFields.isSessionID(session)
            if !request.sessionIsMalformed { request.session = session }
        }
        return nil
    }

    private func readVersion(_ fields: RequestFields) {
        if let version = fields.protocolVersion {
            request.namedVersion = ProtocolVersion(rawValue: version)
            request.versionIsUnknown = request.namedVersion == nil
            request.namesModern = !core.readsLeniently && ModernRevision.isNamed(by: version)
        }
        if request.versionIsUnknown || fields.method != nil || fields.name != nil || !fields.parameters.isEmpty
            || !fields.repeatedCopies.isEmpty
        {
            request.copies = HeaderCopies(fields)
        }
    }
}
