// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

extension ClientMessage {
    /// The refusal of a request whose effect would belong to a session, where there is none; nil for any other message.
    func refusedWithoutSession() -> MessageBytes? {
        guard envelope.kind == .request else { return nil }
        let buffer = bytes
        let method: String
        switch ClientRequest(envelope, in: buffer.readableBytesUInt8Span) {
        case .subscribe: method = "resources/subscribe"
        case .unsubscribe: method = "resources/unsubscribe"
        case .setLevel: method = "logging/setLevel"
        case .initialize, .ping, .listTools, .callTool, .task, .other: return nil
        }
        return LodgeMessage.error(
            id: requestID, code: -32601, message: "'\(method)' needs a session; serve without --stateless")
    }
}
