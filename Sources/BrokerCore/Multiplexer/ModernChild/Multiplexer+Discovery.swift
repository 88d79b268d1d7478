// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// The handshake with a modern server, which is no more than to ask who it is (2026-07-28, discovery).
extension Multiplexer {
    /// Lodge as a client of its own: it can be asked nothing.
    var ownDeclaration: ClientDeclaration {
        ClientDeclaration(name: "lodge", version: configuration.clientVersion)
    }

    mutating func askDiscovery() -> Effect {
        let ticket = nextTicket()
        own[ticket] = .initialize
        return .send(LodgeMessage.modernRequest(ticket, "server/discover", as: ownDeclaration))
    }

    /// Takes the server's answer to one of Lodge's own requests.
    mutating func ownAnsweredByModern(
        _ ticket: Ticket, _ message: ServerMessage, now: ContinuousClock.Instant
    ) -> Effects {
        if own[ticket] == .listen {
            return listeningEnded(ticket, failed: message.envelope.kind != .response, now: now)
        }
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard message.envelope.kind == .response else {
            return handshakeAnswer(ticket, failure: message.envelope.text(message.envelope.error, in: bytes), now: now)
        }
        guard own[ticket] == .initialize else { return handshakeAnswer(ticket, failure: nil, now: now) }
        let result = message.envelope.result.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        do throws(DiscoveredServer.Problem) {
            learn(try DiscoveredServer(result ?? .null))
        } catch {
            return handshakeAnswer(ticket, failure: error.text, now: now)
        }
        var effects = Effects()
        if configuration.provesTools, let initialized, LodgeMessage.declaresTools(initialized.result) {
            own[ticket] = nil
            effects.append(askForProof())
        } else {
            effects.append(contentsOf: handshakeAnswer(ticket, failure: nil, now: now))
        }
        effects.append(contentsOf: letIn())
        return effects
    }

    private mutating func learn(_ server: DiscoveredServer) {
        child.server = server
        let withheld = Set(configuration.withheldCapabilities.map { "\($0)" })
        identity = ServerIdentity(discovery: server.discovery(withholding: withheld))
        let result = server.initialization(name: configuration.server, withholding: withheld).serialized
        // The result is Lodge's own and begins with the version.
        let start = #"{"protocolVersion":"#.utf8.count
        let version = ProtocolVersion.newest.rawValue
        initialized = Initialized(
            result: ByteBuffer(bytes: result), versionRange: start..<start + version.utf8.count + 2, version: version)
    }
}
