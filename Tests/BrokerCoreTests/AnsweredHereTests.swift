// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Requests that Lodge answers itself")
struct AnsweredHereTests {
    @Test("a ping is answered at once, whatever the state of the server", arguments: ["ping", #"p\u0069ng"#])
    func ping(method: String) throws {
        let harness = MultiplexerHarness()
        let sink = RecordingSink()
        let ticket = try harness.request(#"{"jsonrpc":"2.0","id":"p","method":"\#(method)"}"#, sink)
        #expect(ticket == nil)
        #expect(sink.bodies == [Sample.empty(id: "\"p\"")])
        #expect(harness.sent.isEmpty)
    }

    @Test(
        "tasks of a shared server could be anybody's and are refused",
        arguments: ["tasks/get", "tasks/list", "tasks/result", "tasks/cancel", #"tasks\/get"#])
    func tasks(method: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"taskId":"1"}}"#, sink)
        #expect(harness.sent.isEmpty)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"#
                    + #""message":"tasks are not relayed in shared isolation; serve with --isolation client"}}"#
            ])
        #expect(harness.records.map(\.outcome) == [.refused])
    }

    @Test("a call that wants to be a task is refused in shared isolation")
    func callAsTask() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","task":{"ttl":1}}}"#, sink)
        #expect(harness.sent.isEmpty)
        #expect(sink.bodies.first?.contains("tasks are not relayed in shared isolation") == true)
    }

    @Test("tasks pass in client isolation")
    func tasksOfOneClient() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let message = #"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"1"}}"#
        try harness.request(message, RecordingSink())
        #expect(harness.sent == [message.replacing(#""id":1"#, with: #""id":2"#)])
    }

    @Test(
        "a request's method without an id is no notification and does not reach the server",
        arguments: [
            "initialize", "ping", "tools/call", "tools/list", "tasks/cancel", "resources/subscribe",
            "logging/setLevel", #"tools\/call"#,
        ])
    func requestWithoutID(method: String) throws {
        let harness = try MultiplexerHarness.ready()
        try harness.notify(#"{"jsonrpc":"2.0","method":"\#(method)","params":{"name":"x"}}"#)
        try harness.notify(#"{"jsonrpc":"2.0","id":null,"method":"\#(method)","params":{"name":"x"}}"#)
        #expect(harness.sent.isEmpty)
    }

    @Test("another notification of a client reaches the server as it came, once it is ready")
    func otherNotification() throws {
        let harness = MultiplexerHarness()
        let message = #"{"jsonrpc":"2.0", "method":"notifications/x/custom","params":{"a":1.0}}"#
        harness.start()
        harness.takeSent()
        try harness.notify(message)
        #expect(harness.sent.isEmpty)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        harness.takeSent()
        try harness.notify(message)
        #expect(harness.sent == [message])
    }

    @Test("a shared server hears nothing of clients' roots or of progress on requests that it cannot make")
    func sharedHearsNoRoots() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.notify(#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#)
        try harness.notify(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}"#)
        #expect(harness.sent.isEmpty)
    }

    @Test("a client's own server hears of its roots")
    func rootsOfOneClient() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let message = #"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#
        try harness.notify(message)
        #expect(harness.sent == [message])
    }
}
