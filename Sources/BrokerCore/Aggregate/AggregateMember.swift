// SPDX-License-Identifier: Apache-2.0
import JSONRPC
package import LodgeConfiguration
import NIOCore

/// One of the servers behind an aggregate.
///
/// It is not owned by the aggregate, which is one client of it for each of its own sessions.
package struct AggregateMember: Sendable {
    package let name: String
    let relay: any ServerRelay
    let isolation: Isolation

    package init(_ relay: any ServerRelay, isolation: Isolation) {
        name = relay.name
        self.relay = relay
        self.isolation = isolation
    }
}

/// What a member said of itself when its session was opened.
struct MemberGreeting: Sendable, Equatable {
    var capabilities: JSONValue
    var instructions: String?

    /// Reads the answer to `initialize`; what cannot be read declares nothing.
    init(_ answer: MessageBytes) {
        let buffer = answer.joined()
        let result = (try? JSONValue.parse(buffer.readableBytesUInt8Span))?["result"]
        capabilities = result?["capabilities"] ?? .object([])
        instructions = result?["instructions"]?.string
    }

    init(capabilities: JSONValue, instructions: String? = nil) {
        self.capabilities = capabilities
        self.instructions = instructions
    }

    /// What a member that has never answered is taken to have, so that its lists are not missed once it is there.
    static let assumed = MemberGreeting(capabilities: ["tools": [:], "prompts": [:], "resources": [:]])

    func has(_ capability: String) -> Bool { capabilities[capability] != nil }
}
