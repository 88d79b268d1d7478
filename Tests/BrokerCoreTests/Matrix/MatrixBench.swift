// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import Synchronization

@testable import BrokerCore

/// One server and one client of it, each of its own revision, for one cell of the matrix.
///
/// The server is a connection that keeps what it was sent; nothing here knows how Lodge bridges two eras.
final class MatrixBench {
    struct Broken: Error {}

    let client: MatrixRevision
    let server: MatrixRevision
    let relay: any ServerRelay
    let upstream: Upstream
    let connection: FakeConnection
    /// The stream on which the client hears what belongs to no request of its own.
    let stream = RecordingStream()
    let listening = RecordingSink()
    private let fixture: ServerFixture
    private var session: String?
    /// What the server was sent before the message in question.
    private var seen = 0

    static let clientCapabilities =
        #"{"sampling":{},"roots":{},"elicitation":{"form":{},"url":{}},"#
        + #""extensions":{"io.modelcontextprotocol/tasks":{}}}"#
    private static let serverCapabilities =
        #"{"tools":{"listChanged":true},"prompts":{"listChanged":true},"#
        + #""resources":{"listChanged":true,"subscribe":true},"completions":{},"logging":{}}"#

    init(client: MatrixRevision, server: MatrixRevision, isolation: Isolation) throws {
        self.client = client
        self.server = server
        fixture = try ServerFixture()
        let era = server.era
        if isolation == .shared {
            relay = fixture.sharedServer { $0.multiplexer.era = era }
        } else {
            relay = fixture.clientServer { $0.multiplexer.era = era }
        }
        connection = FakeConnection()
        if isolation == .client {
            // The throw-away upstream has proved the server; then the client has one of its own.
            let proof = try fixture.lastStarted()
            proof.generationStarted(FakeConnection(), timer: FakeTimer())
            try Self.greet(proof, of: server, ticket: "1")
        }
        let opening = RecordingSink()
        if isolation == .client {
            if client.era == .legacy {
                _ = relay.receive(try Self.hello(client), sink: opening)
            } else {
                _ = relay.receive(try Self.message("server/discover", "{}", of: client), sink: RecordingSink())
            }
        }
        upstream = try fixture.lastStarted()
        upstream.generationStarted(connection, timer: FakeTimer())
        try Self.greet(upstream, of: server, ticket: "\(upstream.inspect { $0.lastTicketUsed })")
        if isolation == .shared, client.era == .legacy { _ = relay.receive(try Self.hello(client), sink: opening) }
        session = opening.openedSession
        try acknowledgeListens()
        guard client.era == .legacy || session == nil else { throw Broken() }
        if client.era == .legacy {
            guard let session else { throw Broken() }
            _ = relay.receive(try message("notifications/initialized", nil, "{}"), sink: RecordingSink())
            guard relay.openStream(stream, session: session, principal: .alice) else { throw Broken() }
        }
        seen = connection.sent.count
    }

    /// Answers the handshake of a server of this revision.
    private static func greet(_ upstream: Upstream, of server: MatrixRevision, ticket: String) throws {
        if server.era == .modern {
            try upstream.serve(
                #"{"jsonrpc":"2.0","id":\#(ticket),"result":{"resultType":"complete","supportedVersions":["\#(server.rawValue)"],"#
                    + #""capabilities":\#(serverCapabilities),"ttlMs":0,"cacheScope":"private","#
                    + #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"}}}}"#)
        } else {
            try upstream.serve(
                Sample.initializeAnswer(id: ticket, version: server.rawValue, capabilities: serverCapabilities))
        }
    }

    private static func hello(_ client: MatrixRevision) throws -> ClientMessage {
        try .of(
            #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\#(client.rawValue)","#
                + #""capabilities":\#(clientCapabilities),"clientInfo":{"name":"test","version":"1"}}}"#,
            principal: .alice)
    }

    private static func message(
        _ method: String, _ params: String, of client: MatrixRevision, session: String? = nil, id: String = "7",
        meta extra: String = ""
    ) throws -> ClientMessage {
        var params = params
        var meta = extra
        if client.era == .modern {
            meta +=
                (meta.isEmpty ? "" : ",") + #""io.modelcontextprotocol/protocolVersion":"\#(client.rawValue)","#
                + #""io.modelcontextprotocol/clientCapabilities":\#(clientCapabilities)"#
        }
        if !meta.isEmpty {
            params = "{" + params.dropFirst().dropLast() + (params == "{}" ? "" : ",") + #""_meta":{\#(meta)}}"#
        }
        return try .of(
            #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#, session: session,
            principal: .alice)
    }

    /// A message of the client; a notification where there is no id.
    func message(_ method: String, _ id: String?, _ params: String, meta: String = "") throws -> ClientMessage {
        guard let id else {
            return try .of(
                #"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params)}"#, session: session, principal: .alice)
        }
        return try Self.message(method, params, of: client, session: session, id: id, meta: meta)
    }

    func send(_ message: ClientMessage, _ sink: RecordingSink = RecordingSink()) -> RecordingSink {
        _ = relay.receive(message, sink: sink)
        return sink
    }

    /// Gives a client's request up, as a modern client does by closing its response.
    func sendAndLeave(_ message: ClientMessage) {
        relay.receive(message, sink: RecordingSink()).ticket?.abandon()
    }

    /// What the server was sent since the last look.
    func newlySent() throws -> [JSONValue] {
        let sent = connection.sent
        defer { seen = sent.count }
        return try sent[seen...].map { try JSONValue.parse(Array($0.utf8)) }
    }

    /// Lets the time pass in which a server may ask for more at once.
    func letTimePass() {
        fixture.clock.advance(by: .milliseconds(100))
        upstream.deadlineReached()
    }

    /// A modern server acknowledges what Lodge listens to.
    func acknowledgeListens() throws {
        for text in connection.sent {
            let sent = try JSONValue.parse(Array(text.utf8))
            guard sent["method"]?.string == "subscriptions/listen", let id = sent["id"]?.serializedText,
                let wanted = sent["params"]?["notifications"]?.serializedText
            else { continue }
            try upstream.serve(
                #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":"#
                    + #"{"io.modelcontextprotocol/subscriptionId":\#(id)},"notifications":\#(wanted)}}"#)
        }
    }

    /// The id of Lodge's listen request at a modern server that covers a change.
    func listenID(covering method: String) throws -> String? {
        for text in connection.sent.reversed() {
            let sent = try JSONValue.parse(Array(text.utf8))
            guard sent["method"]?.string == "subscriptions/listen", let filter = sent["params"]?["notifications"] else {
                continue
            }
            let member =
                switch method {
                case "notifications/tools/list_changed": "toolsListChanged"
                case "notifications/prompts/list_changed": "promptsListChanged"
                case "notifications/resources/list_changed": "resourcesListChanged"
                default: "resourceSubscriptions"
                }
            if filter[member] != nil { return sent["id"]?.serializedText }
        }
        return nil
    }
}

extension JSONValue {
    var serializedText: String { String(decoding: serialized, as: UTF8.self) }
}
