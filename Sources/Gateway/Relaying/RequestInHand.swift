// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import MCPProtocol
import NIOCore
import NIOHTTP1

/// What a connection keeps of the request that it is answering.
struct RequestInHand {
    /// What is done once the whole request is there.
    enum Purpose {
        case none, message
        /// A session's own stream, or another one of its streams behind an event of it.
        case stream(after: String?)
        /// A stream of the 2024-11-05 transport, whose client shall send its messages to this path.
        case transportStream(messages: String)
        /// A message of that transport, and the id of a stream that it names.
        case transportMessage(String?)
    }

    var purpose = Purpose.none
    var version = HTTPVersion.http1_1
    /// Whether the connection takes another request after the response.
    var keepsAlive = true
    /// The answer to HEAD has no body.
    var isHead = false
    /// Whether an answer may become an event stream.
    var takesStream = true
    /// The origin whose page may read the response.
    var sharedOrigin: String?
    var relay: (any ServerRelay)?
    var principal = Principal.anonymous
    /// The servers that the principal's grant reaches.
    var servers = Grant.Servers.all
    /// When the grant of the principal ends; nil where it ends with the process.
    var grantExpiry: ContinuousClock.Instant?
    /// The state of the grants before the principal's was looked up.
    var grants: UInt64 = 0
    var session: String?
    /// Whether the server's endpoint is served without sessions; then `session` is nil, whatever the client names.
    var isStateless = false
    /// What `MCP-Protocol-Version` names, where it is a revision with a handshake.
    var namedVersion: ProtocolVersion?
    /// Whether `MCP-Protocol-Version` names no revision with a handshake; that does not matter to `initialize`.
    var versionIsUnknown = false
    /// Whether `MCP-Protocol-Version` names a modern revision, known or not; then `session` is nil.
    var namesModern = false
    /// Whether `Mcp-Session-Id` is of a form that no server gives; then `session` is nil. A modern client may send any.
    var sessionIsMalformed = false
    /// What the headers repeat of the body; nil where they repeat nothing but the revision that `namedVersion` has.
    var copies: HeaderCopies?
    var body: ByteBuffer?
    /// When its first bytes came.
    var start = NIODeadline.uptimeNanoseconds(0)

    /// What is wrong with the MCP headers for anything but a modern request, which has rules of its own for them.
    var headerRefusal: GatewayRefusal? {
        if copies?.repeats(.version) == true { return .repeatedHeader(.protocolVersion) }
        return sessionIsMalformed ? .malformedSession : nil
    }
}
