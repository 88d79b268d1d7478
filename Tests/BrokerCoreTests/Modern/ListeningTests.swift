// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Modern clients that listen to changes of a legacy server")
struct ListeningTests {
    private let clients: ModernClients

    init() throws { clients = try ModernClients() }

    private func listen(_ id: String, _ filter: String) -> String {
        Modern.request(id, "subscriptions/listen", #""notifications":{\#(filter)},"#)
    }

    private func notice(_ method: String, _ params: String = "", id: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/\#(method)","params":{"#
            + #""_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}\#(params)}}"#
    }

    private func acknowledged(_ filter: String, id: String) -> String {
        notice("subscriptions/acknowledged", #","notifications":{\#(filter)}"#, id: id)
    }

    private let toolsChanged = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    private func updated(_ uri: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\#(uri)"}}"#
    }

    @Test("the acknowledgement comes first and names what is honoured; every message bears the listener's id")
    func tags() throws {
        let server = try clients.start()
        let first = try clients.send(
            listen("1.0", #""toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:1","a:1"]"#))
        let second = try clients.send(listen(#""l""#, #""resourcesListChanged":true,"toolsListChanged":false"#))
        #expect(
            first.messages == [acknowledged(#""toolsListChanged":true,"resourceSubscriptions":["a:1"]"#, id: "1.0")])
        #expect(second.messages == [acknowledged(#""resourcesListChanged":true"#, id: #""l""#)])
        try server.serve(toolsChanged)
        try server.serve(#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}"#)
        try server.serve(updated("a:1"))
        try server.serve(updated("a:2"))
        #expect(
            first.messages.dropFirst() == [
                notice("tools/list_changed", id: "1.0"), notice("resources/updated", #","uri":"a:1""#, id: "1.0"),
            ])
        #expect(second.messages.count == 1)
        #expect(first.answers.isEmpty)
    }

    @Test("the server hears of the first subscriber and of the last, also when a listener leaves")
    func references() throws {
        let server = try clients.start()
        let start = server.connection.sent.count
        let one = try clients.open(listen("1", #""resourceSubscriptions":["a:1","a:2"]"#))
        let two = try clients.open(listen("1", #""resourceSubscriptions":["a:1"]"#))
        #expect(
            server.connection.sent.dropFirst(start) == [
                Sample.subscribe(id: "4"), Sample.subscribe(id: "5", uri: "a:2"),
            ])
        one.ticket.abandon()
        #expect(server.connection.sent.last == Sample.unsubscribe(id: server.ticket, uri: "a:2"))
        try server.serve(updated("a:1"))
        #expect(one.sink.messages.count == 1)
        #expect(two.sink.messages.count == 2)
        two.ticket.abandon()
        #expect(server.connection.sent.last == Sample.unsubscribe(id: server.ticket))
        #expect(server.isQuiet)
        #expect(!server.connection.sent.contains { $0.contains("cancelled") })
    }

    @Test("a listener goes on over a restart: subscribed again, told to look again, not acknowledged twice")
    func restart() throws {
        let server = try clients.start()
        let sink = try clients.send(listen("1", #""toolsListChanged":true,"resourceSubscriptions":["a:1"]"#))
        server.upstream.generationEnded(Ending(.exited(code: 1)), retry: server.clock.now)
        let late = try clients.send(listen("2", #""toolsListChanged":true"#))
        #expect(late.messages.isEmpty)
        let connection = try server.upstream.startGeneration(capabilities: Modern.serverCapabilities)
        #expect(connection.sent.contains { $0.contains(#""method":"resources/subscribe","params":{"uri":"a:1"}"#) })
        #expect(sink.messages.dropFirst() == [notice("tools/list_changed", id: "1")])
        #expect(late.messages == [acknowledged(#""toolsListChanged":true"#, id: "2")])
        #expect(sink.answers.isEmpty)
    }

    @Test("a listener that comes before the server waits for it, and can leave before")
    func early() throws {
        let sink = try clients.send(listen("1", #""toolsListChanged":true"#))
        let left = try clients.open(listen("2", #""toolsListChanged":true"#))
        left.ticket.abandon()
        #expect(sink.messages.isEmpty)
        _ = try clients.fixture.lastStarted().startGeneration(capabilities: Modern.serverCapabilities)
        #expect(sink.messages == [acknowledged(#""toolsListChanged":true"#, id: "1")])
        #expect(left.sink.messages.isEmpty)
    }

    @Test("a listener has a server that refused its handshake tried again")
    func handshakeAgain() throws {
        let sink = try clients.send(listen("1", #""toolsListChanged":true"#))
        let upstream = try clients.fixture.lastStarted()
        let connection = FakeConnection()
        upstream.generationStarted(connection, timer: FakeTimer())
        let refused = upstream.inspect { $0.lastTicketUsed }
        try upstream.serve(#"{"jsonrpc":"2.0","id":\#(refused),"error":{"code":-1,"message":"no"}}"#)
        try clients.send(listen("2", #""toolsListChanged":true"#))
        #expect(connection.sent.count == 2)
        try upstream.serve(
            Sample.initializeAnswer(
                id: "\(upstream.inspect { $0.lastTicketUsed })", capabilities: Modern.serverCapabilities))
        #expect(sink.messages == [acknowledged(#""toolsListChanged":true"#, id: "1")])
    }

    @Test("a server that is stopped for good ends a listener with a result, one that is down refuses the next")
    func stopped() throws {
        let server = try clients.start()
        let sink = try clients.send(listen("1", #""toolsListChanged":true"#))
        server.upstream.generationEnded(Ending(.stopped), retry: nil)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}"#
            ])
        let next = try clients.send(listen("2", #""toolsListChanged":true"#))
        #expect(next.failedWith == -32603)
        #expect(server.isQuiet)
    }

    @Test(
        "a filter of another form is refused",
        arguments: [#""toolsListChanged":1"#, #""resourceSubscriptions":"a:1""#, #""resourceSubscriptions":[1]"#])
    func malformed(filter: String) throws {
        _ = try clients.start()
        let sink = try clients.send(listen("1", filter))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params.notifications must be an object of booleans and, for resources, a list of URIs"}}"#
            ])
    }

    // MARK: Log levels

    private func call(_ id: String, _ level: String) -> String {
        Modern.call(id, more: #","io.modelcontextprotocol/logLevel":"\#(level)""#)
    }

    private func logged(_ level: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"\#(level)","data":"x"}}"#
    }

    @Test("the server is set to the most verbose level before the call, once in a generation")
    func levels() throws {
        let server = try clients.start()
        let start = server.connection.sent.count
        try clients.send(call("1", "warning"))
        try clients.send(call("2", "error"))
        try clients.send(call("3", "debug"))
        let sent = server.connection.sent.dropFirst(start)
        #expect(sent.map { $0.contains("setLevel") } == [true, false, false, true, false])
        #expect(sent.first == Sample.setLevel(id: "3", "warning"))
        server.upstream.generationEnded(Ending(.exited(code: 1)), retry: server.clock.now)
        try clients.send(call("4", "error"))
        let next = try server.upstream.startGeneration(capabilities: Modern.serverCapabilities)
        #expect(next.sent.suffix(2).map { $0.contains("setLevel") } == [true, false])
    }

    @Test("a server without log messages is set to nothing")
    func noLogging() throws {
        let server = try clients.start(capabilities: "{}")
        try clients.send(call("1", "debug"))
        #expect(!server.connection.sent.contains { $0.contains("setLevel") })
    }

    @Test("messages go to the newest call that asked for their level, and to no other")
    func messages() throws {
        let server = try clients.start()
        let (warning, debug) = (try clients.send(call("1", "warning")), try clients.send(call("2", "debug")))
        let silent = try clients.send(Modern.call("3"))
        let strict = try clients.send(call("4", "emergency"))
        try server.serve(logged("info"))
        try server.serve(logged("odd"))
        #expect(debug.messages == [logged("info")])
        #expect(warning.messages.isEmpty && silent.messages.isEmpty && strict.messages.isEmpty)
    }

    @Test("of nameless clients a call is told of messages only while it is alone, a waiting one counted")
    func namelessMessages() throws {
        let server = try clients.start(.anonymous)
        let first = try clients.send(call("1", "debug"), .anonymous)
        try server.serve(logged("info"))
        #expect(first.messages == [logged("info")])
        try server.ask(Modern.elicit("7"))
        let second = try clients.send(call("2", "debug"), .anonymous)
        try server.serve(logged("info"))
        #expect(second.messages.isEmpty)
        #expect(first.messages.count == 1)
    }
}
