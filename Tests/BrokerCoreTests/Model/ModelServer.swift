// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

/// A server as the oracle sees it: what it was sent, what it still has to answer, and what it must never see.
struct ModelServer {
    /// A request that the server has not answered; `name` is what the caller marked it with.
    struct Open: Equatable {
        let id: String
        let method: String
        let name: String?
    }

    /// A request that the server made.
    struct Asked {
        let id: String
        let name: String
    }

    private(set) var open: [Open] = []
    /// Ids of this generation that were sent and are neither answered nor cancelled.
    private var unanswered: Set<String> = []
    private var everSeen: Set<String> = []
    private(set) var subscribed: Set<String> = []
    private(set) var asked: [Asked] = []
    private var lastAsked = 0
    private var initializeCount = 0

    mutating func generationStarted() {
        open = []
        unanswered = []
        subscribed = []
        asked = []
        initializeCount = 0
    }

    /// Takes one message that Lodge wrote.
    mutating func receive(_ text: String) throws {
        let message = try ServerMessage.of(text)
        let envelope = message.envelope
        let id = message.raw(envelope.id)
        switch envelope.kind {
        case .request:
            let request = Open(
                id: id, method: message.raw(envelope.method),
                name: message.string(envelope.name) ?? message.string(envelope.uri))
            #expect(unanswered.insert(id).inserted, "ticket \(id) was used twice")
            open.append(request)
            try note(request)
        case .notification where text.contains("notifications/cancelled"):
            let cancelled = message.raw(envelope.requestID)
            #expect(unanswered.remove(cancelled) != nil, "\(cancelled) was cancelled and is not in flight")
        case .notification:
            break
        case .response, .errorResponse:
            let index = asked.firstIndex { request in
                request.id == id && (text.contains(#""\#(request.name)""#) || !text.contains("nonce"))
            }
            #expect(index != nil, "an answer to a request that is not open: \(text)")
            if let index { asked.remove(at: index) }
        default:
            Issue.record("no message: \(text)")
        }
    }

    private mutating func note(_ request: Open) throws {
        switch request.method {
        case "tools/call":
            let name = try #require(request.name)
            #expect(everSeen.insert(name).inserted, "call \(name) reached the server twice")
        case "resources/subscribe": if let uri = request.name { subscribed.insert(uri) }
        case "resources/unsubscribe": if let uri = request.name { subscribed.remove(uri) }
        case "initialize":
            initializeCount += 1
        default: break
        }
    }

    /// Takes a request out to be answered; any but the oldest is as good.
    mutating func takeRequest(_ random: inout SeededGenerator) -> Open? {
        guard !open.isEmpty else { return nil }
        let request = open.remove(at: random.below(open.count))
        unanswered.remove(request.id)
        return request
    }

    /// Makes a request under an id from a small set, so that ids collide with each other and with tickets.
    mutating func ask(_ random: inout SeededGenerator) -> String {
        ask(id: random.once(in: 2) ? "\(random.below(40))" : "\"s\(random.below(3))\"")
    }

    /// Makes a request, with members in it that a careless reader takes for an answer.
    mutating func ask(id: String, method: String = "roots/list") -> String {
        lastAsked += 1
        let request = Asked(id: id, name: "q\(lastAsked)")
        asked.append(request)
        return #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{"name":"\#(request.name)"},"#
            + #""result":{"nonce":"stray"}}"#
    }
}
