// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// One message of the client on its way to the server; the session that delivers it holds one while it does.
struct RemotePost: Sendable {
    enum Role: Hashable, Sendable {
        case initialize, initialized, request
        /// A notification or a response.
        case notice
        /// The client's own `initialize`, sent again by Lodge; its answer is not the client's.
        case renewal
    }

    let number: Int
    let role: Role
    let bytes: ByteBuffer
    /// The ids of the requests in it; several in a batch.
    let calls: [RawID]
    /// Set once the next message may be started.
    let started = Arrival<Void>()
    /// Set once no call of it waits for an answer.
    let settled = Arrival<Void>()

    init(number: Int, role: Role, bytes: ByteBuffer, calls: [RawID]) {
        (self.number, self.role, self.bytes, self.calls) = (number, role, bytes, calls)
        if calls.isEmpty { settled.set() }
    }

    /// Whether it is on its way with its last byte, or only once the server has taken it.
    ///
    /// What has no answer of its own has to be taken first, or else it could arrive after what was said later.
    var startsWhenSent: Bool { role == .request }
}
