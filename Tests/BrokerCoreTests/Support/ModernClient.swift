// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

/// A server in isolation `client`, and the requests of its modern clients.
struct ModernClients {
    let fixture: ServerFixture
    let server: ClientServer

    init(_ adjust: (inout ServerConfiguration) -> Void = { _ in }) throws {
        fixture = try ServerFixture()
        server = fixture.clientServer(adjust)
    }

    @discardableResult
    func send(_ json: String, _ principal: Principal = .alice) throws -> RecordingSink {
        try open(json, principal).sink
    }

    func open(_ json: String, _ principal: Principal = .alice) throws -> (sink: RecordingSink, ticket: CallTicket) {
        let sink = RecordingSink()
        let admission = server.receive(try .of(json, principal: principal), sink: sink)
        return (sink, try #require(admission.ticket))
    }

    /// Starts a principal's upstream, which this request makes, and answers both.
    func start(
        _ principal: Principal = .alice, capabilities: String = Modern.serverCapabilities
    ) throws -> ModernUpstream {
        try send(Modern.request("\"discover\"", "server/discover"), principal)
        let upstream = try fixture.lastStarted()
        return ModernUpstream(
            upstream: upstream, connection: try upstream.startGeneration(capabilities: capabilities),
            clock: fixture.clock)
    }
}

/// A running upstream of modern clients.
struct ModernUpstream {
    let upstream: Upstream
    let connection: FakeConnection
    let clock: ManualClock

    /// The ticket handed out last, as it stands in a message.
    var ticket: String { "\(upstream.inspect { $0.lastTicketUsed })" }
    var isQuiet: Bool { upstream.inspect { $0.isQuiet } }

    func serve(_ json: String) throws { try upstream.serve(json) }

    func advance(by duration: Duration) {
        clock.advance(by: duration)
        upstream.deadlineReached()
    }

    /// Lets the server ask, and the time pass in which it may ask for more.
    func ask(_ requests: String...) throws {
        for request in requests { try serve(request) }
        advance(by: .milliseconds(50))
    }
}

/// Messages of both sides of a bridge; their contents are of no interest.
enum Modern {
    static let serverCapabilities =
        #"{"logging":{},"tasks":{},"tools":{"listChanged":true},"prompts":{},"#
        + #""resources":{"subscribe":true,"listChanged":true}}"#
    static let everything = #"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}"#

    static func meta(_ capabilities: String = "{}", _ more: String = "") -> String {
        #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#
            + #""io.modelcontextprotocol/clientCapabilities":\#(capabilities)\#(more)}"#
    }

    static func request(
        _ id: String, _ method: String, _ params: String = "", capabilities: String = "{}", more: String = ""
    ) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(params)"_meta":\#(meta(capabilities, more))}}"#
    }

    static func call(
        _ id: String, tool: String = "echo", arguments: String = "{}", capabilities: String = everything,
        state: String? = nil, responses: String? = nil, more: String = ""
    ) -> String {
        var params = #""name":"\#(tool)","arguments":\#(arguments),"#
        if let state { params += #""requestState":"\#(state)","# }
        if let responses { params += #""inputResponses":\#(responses),"# }
        return request(id, "tools/call", params, capabilities: capabilities, more: more)
    }

    static func elicit(_ id: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"elicitation/create","params":{"message":"\#(id == "7" ? "a" : "b")"}}"#
    }

    static let stale =
        #""error":{"code":-32602,"message":"the requestState is invalid or has expired; send the request again without it"}"#

    static let complete = #""resultType":"complete""#
    static let serverInfo = #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"}}"#
}

extension RecordingSink {
    /// The result of the last answer.
    var result: JSONValue? { bodies.last.flatMap { try? JSONValue.parse(Array($0.utf8)) }?["result"] }
    var requestState: String? { result?["requestState"]?.string }
    var error: JSONValue? { bodies.last.flatMap { try? JSONValue.parse(Array($0.utf8)) }?["error"] }
    /// The code that the transport is told.
    var failedWith: Int? { if case .failed(_, let code)? = answers.last { code } else { nil } }
}
