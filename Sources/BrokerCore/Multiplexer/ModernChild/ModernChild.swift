// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// What a multiplexer keeps because its server speaks the modern era; empty for any other server.
///
/// The declarations belong to sessions and outlive generations; everything else belongs to one generation.
struct ModernChild: Sendable {
    /// A stream of changes that Lodge opened at the server.
    struct Listening: Sendable {
        enum Subject: Hashable, Sendable {
            case lists
            case resource(uri: String)
        }

        let subject: Subject
        let opened: ContinuousClock.Instant
    }

    /// A call whose legacy client is being asked for what the server wants to know.
    struct Asking: Sendable {
        /// In the order of the server.
        var questions: [Question]
        /// The raw value of the server's state, to go with the answers.
        let state: [UInt8]?
    }

    struct Question: Sendable {
        /// Under which the client is asked.
        let ticket: Ticket
        let key: String
        let method: String
        /// The client's raw result.
        var answer: [UInt8]?
    }

    /// What the server said of itself; nil before its handshake.
    var server: DiscoveredServer?
    /// What sessions said of themselves.
    var declarations: [SessionKey: ClientDeclaration] = [:]
    var listening: [Ticket: Listening] = [:]
    /// Calls that wait for their client, by the ticket under which they are sent again.
    var asking: [Ticket: Asking] = [:]
    /// Which call a question belongs to.
    var questions: [Ticket: Ticket] = [:]
    /// Where a call is now that its client knows under another ticket.
    var moved: [Ticket: Ticket] = [:]

    var isQuiet: Bool { asking.isEmpty && questions.isEmpty && moved.isEmpty }

    /// Begins a generation.
    mutating func forgetGeneration() {
        server = nil
        listening = [:]
    }
}

/// How a legacy client's call goes on while its modern server asks for input.
struct DrivenCall: Sendable {
    /// A server that asks more often than this does not come to an end.
    static let maximumRounds = 16

    /// The request as the client wrote it, to be sent again.
    let message: ClientMessage
    /// The ticket by which the client's exchange withdraws it.
    var first: Ticket?
    /// The ticket under which it is known now.
    var current: Ticket?
    var rounds = 0
}

/// What a legacy client's request needs to reach a modern server.
struct ModernMetadata: Sendable {
    let declaration: ClientDeclaration
    let logLevel: LogLevel?
    /// The client's answers, for a request that is sent again.
    var continuation: Continuation?

    struct Continuation: Sendable {
        let answers: [(key: String, result: [UInt8])]
        let state: [UInt8]?
    }
}
