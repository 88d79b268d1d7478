// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import MCPProtocol
import NIOCore

/// The modern era (2026-07-28): every request stands alone, and its answer belongs to its response only.
extension RelayHandler {
    func dispatchModern(_ body: ByteBuffer, _ envelope: Envelope, to relay: any ServerRelay) {
        // What the client names is not looked at, and nothing that answers the request can be taken up again.
        request.session = nil
        let metadata: RequestMetadata
        do throws(GatewayRefusal) {
            metadata = try request.metadata(of: envelope, in: body.readableBytesUInt8Span)
        } catch {
            return refuse(error, id: message(body, envelope).id)
        }
        let message = message(body, envelope, metadata)
        let exchange = begin(requests: 1, isBatch: false, mayStream: request.takesStream)
        if envelope.isMethod("subscriptions/listen", in: body.readableBytesUInt8Span), let id = message.id {
            exchange.farewell = Self.endOfSubscription(id)
        }
        enter(message, exchange, relay)
    }

    /// The result of a subscription that ends in good order (2026-07-28, subscriptions, graceful closure).
    private static func endOfSubscription(_ id: RawID) -> MessageBytes {
        var result = Array(#"{"resultType":"complete","_meta":{"\#(MetaKey.subscriptionID)":"#.utf8)
        result += id.array
        result += "}}".utf8
        return MessageBytes(bytes: MessageBuilder.result(id: id, result))
    }

    /// Takes a message of a client whose `MCP-Protocol-Version` names a modern revision, and that is no request.
    func takeModern(_ envelope: Envelope) {
        switch envelope.kind {
        // None is defined for this transport, so there is nobody to tell.
        case .notification: accept()
        default: refuse(.modernResponse)
        }
    }
}
