// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol

@testable import BrokerCore

/// What became of one message between a client and a server, found out by sending it.
enum MatrixCell: Hashable {
    /// The message passed; ids and tokens are always Lodge's own.
    case carried
    /// It reached the other side in the words of the other era.
    case translated
    /// Lodge answered it, or it ended with Lodge, because it means only the next hop.
    case local
    case refused(String)
    /// Neither side has it.
    case absent

    var letter: String {
        switch self {
        case .carried: "C"
        case .translated: "T"
        case .local: "L"
        case .refused: "R"
        case .absent: "·"
        }
    }

    /// Sends a message of one side and looks at what the other side gets.
    static func probe(
        _ message: MatrixMessage, client: MatrixRevision, server: MatrixRevision, isolation: Isolation
    ) throws -> MatrixCell {
        let sender =
            switch message.kind {
            case .clientRequest, .clientNotification: client
            case .serverRequest, .serverNotification: server
            }
        guard message.revisions.contains(sender) else { return .absent }
        let bench = try MatrixBench(client: client, server: server, isolation: isolation)
        return switch message.kind {
        case .clientRequest: try bench.request(message)
        case .clientNotification: try bench.notification(message)
        case .serverRequest: try bench.question(message)
        case .serverNotification: try bench.news(message)
        }
    }
}

extension MatrixBench {
    private var passed: MatrixCell { client.era == server.era ? .carried : .translated }

    // MARK: From the client

    fileprivate func request(_ message: MatrixMessage) throws -> MatrixCell {
        if message.method == "resources/unsubscribe" {
            let subscribed = send(try self.message("resources/subscribe", "6", message.params))
            for sent in try newlySent() where sent["method"]?.string == "resources/subscribe" {
                try upstream.serve(Sample.empty(id: sent["id"]?.serializedText ?? ""))
            }
            guard !subscribed.answers.isEmpty else { throw Broken() }
            try acknowledgeListens()
            _ = try newlySent()
        }
        if message.method.hasPrefix("tasks/"), client.era == .modern, server.era == .modern {
            _ = send(try self.message("tools/call", "6", #"{"name":"t"}"#))
            for sent in try newlySent() where sent["method"]?.string == "tools/call" {
                let task = #"{"resultType":"task","taskId":"k","status":"working"}"#
                try upstream.serve(Sample.answer(id: sent["id"]?.serializedText ?? "", task))
            }
        }
        if message.method == "initialize" {
            // What a session begins with was sent by the bench already.
            return client.era == .legacy ? (isForwardedHandshake ? .carried : passedHandshake) : .absent
        }
        let sink = send(try self.message(message.method, "7", message.params))
        let sent = try newlySent()
        if let refusal = sink.refusal { return .refused(refusal) }
        guard let first = sent.first(where: { $0["id"] != nil || $0["method"] != nil }) else { return .local }
        // To listen never ends, and Lodge does it for all of its clients together.
        if message.method == "subscriptions/listen", server.era == .modern { return .carried }
        guard first["method"]?.string == message.method else { return .translated }
        try upstream.serve(Sample.answer(id: first["id"]?.serializedText ?? "", answer(to: message)))
        guard sink.answers.count == 1 else { throw Broken() }
        return sink.refusal.map { .refused($0) } ?? passed
    }

    private var isForwardedHandshake: Bool {
        connection.sent.contains { $0.contains(#""method":"initialize""#) && $0.contains(#""name":"test""#) }
    }

    private var passedHandshake: MatrixCell { server.era == .legacy ? .local : .translated }

    private func answer(to message: MatrixMessage) -> String {
        server.era == .modern ? #"{"resultType":"complete","content":[]}"# : #"{"content":[]}"#
    }

    fileprivate func notification(_ message: MatrixMessage) throws -> MatrixCell {
        if message.method == "notifications/cancelled" {
            let call = try self.message("tools/call", "7", #"{"name":"t"}"#)
            if client.era == .modern {
                sendAndLeave(call)
            } else {
                _ = send(call)
                _ = send(try self.message(message.method, nil, message.params))
            }
            let told = try newlySent().contains { $0["method"]?.string == message.method }
            return told ? (client.era == .modern ? .translated : .carried) : .local
        }
        guard client.era == .legacy else { return .absent }
        let before = connection.sent.count
        if message.method == "notifications/initialized" {
            return connection.sent.contains { $0.contains(message.method) } && isForwardedHandshake ? .carried : .local
        }
        _ = send(try self.message(message.method, nil, message.params))
        return connection.sent.count > before ? passed : .local
    }

    // MARK: From the server

    fileprivate func question(_ message: MatrixMessage) throws -> MatrixCell {
        let sink = send(try self.message("tools/call", "7", #"{"name":"t"}"#))
        guard let call = try newlySent().first(where: { $0["method"]?.string == "tools/call" }),
            let ticket = call["id"]?.serializedText
        else { throw Broken() }
        if server.era == .modern {
            let question = #"{"q":{"method":"\#(message.method)","params":\#(message.params)}}"#
            try upstream.serve(
                Sample.answer(
                    id: ticket, #"{"resultType":"input_required","inputRequests":\#(question),"requestState":"s"}"#))
        } else {
            try upstream.serve(
                #"{"jsonrpc":"2.0","id":"q","method":"\#(message.method)","params":\#(message.params)}"#)
            letTimePass()
        }
        if let refusal = try newlySent().compactMap({ $0["error"]?["message"]?.string }).first {
            return .refused(refusal)
        }
        if sink.messages.contains(where: { $0.contains(message.method) }) || stream.heard(message.method) {
            return passed
        }
        if let refusal = sink.refusal { return .refused(refusal) }
        if sink.bodies.contains(where: { $0.contains("input_required") && $0.contains(message.method) }) {
            return passed
        }
        return .local
    }

    fileprivate func news(_ message: MatrixMessage) throws -> MatrixCell {
        if client.era == .modern {
            let filter =
                #"{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"#
                + #""resourceSubscriptions":["a:1"]}}"#
            _ = send(try self.message("subscriptions/listen", "5", filter), listening)
        } else {
            _ = send(try self.message("resources/subscribe", "5", #"{"uri":"a:1"}"#))
        }
        for sent in try newlySent() where sent["method"]?.string == "resources/subscribe" {
            try upstream.serve(Sample.empty(id: sent["id"]?.serializedText ?? ""))
        }
        try acknowledgeListens()
        _ = try newlySent()
        let level = client.era == .modern ? #","io.modelcontextprotocol/logLevel":"debug""# : ""
        if client.era == .legacy { _ = send(try self.message("logging/setLevel", "4", #"{"level":"debug"}"#)) }
        for sent in try newlySent() where sent["method"]?.string == "logging/setLevel" {
            try upstream.serve(Sample.empty(id: sent["id"]?.serializedText ?? ""))
        }
        let sink = send(try self.message("tools/call", "7", #"{"name":"t"}"#, meta: #""progressToken":1"# + level))
        guard let call = try newlySent().first(where: { $0["method"]?.string == "tools/call" }),
            let ticket = call["id"]?.serializedText
        else { throw Broken() }
        var params = message.params.replacing("TICKET", with: ticket)
        if server.era == .modern, let listen = try listenID(covering: message.method),
            !["notifications/progress", "notifications/message"].contains(message.method)
        {
            params =
                "{" + params.dropFirst().dropLast() + (params == "{}" ? "" : ",")
                + #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(listen)}}"#
        }
        try upstream.serve(#"{"jsonrpc":"2.0","method":"\#(message.method)","params":\#(params)}"#)
        let heard =
            (sink.messages + listening.messages).contains { $0.contains("\"\(message.method)\"") }
            || stream.heard(message.method)
        guard heard else { return .refused("it is told to Lodge's log only") }
        let isRequestScoped = ["notifications/progress", "notifications/message"].contains(message.method)
        return isRequestScoped ? .carried : passed
    }
}

extension RecordingSink {
    /// The text of the error that the request was answered with.
    fileprivate var refusal: String? {
        for body in bodies {
            if let text = (try? JSONValue.parse(Array(body.utf8)))?["error"]?["message"]?.string { return text }
        }
        return nil
    }
}

extension RecordingStream {
    fileprivate func heard(_ method: String) -> Bool { messages.contains { $0.contains("\"\(method)\"") } }
}
