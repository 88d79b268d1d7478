// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Testing

@testable import BrokerCore

@Suite("Tools under other names")
struct ToolRenameTests {
    private let listTools = #"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#

    private func policy(
        allow: [String]? = nil, deny: [String] = [], rename: [String: String] = [:]
    ) throws -> ToolPolicy {
        ToolPolicy(
            server: try ServerName("files"),
            rules: ToolRules(
                allowed: try allow?.map { try ToolPattern.parse($0) },
                denied: try deny.map { try ToolPattern.parse($0) },
                renamed: rename))
    }

    @Test("of a list only the bytes of a new name change")
    func list() throws {
        let situation = try ServerUnderPolicy(policy(deny: ["rm"], rename: ["git_log": "history"]))
        let bodies = try situation.ask(
            listTools,
            answer: #"{"id":2,"result":{"tools":[ {"x":1.0, "name" : "git\u005flog" ,"title":"git_log"},"#
                + #"{"name":"rm"} ,{"name":"diff"}],"nextCursor":"c"}}"#)
        #expect(
            bodies == [
                #"{"id":"l","result":{"tools":[{"x":1.0, "name" : "history" ,"title":"git_log"},{"name":"diff"}],"#
                    + #""nextCursor":"c"}}"#
            ])
    }

    @Test("of a call only the bytes of the name change, beside id and token")
    func call() throws {
        let situation = try ServerUnderPolicy(policy(rename: ["git_log": "history"]))
        let bodies = try situation.ask(
            #"{ "id":"c","params":{"arguments":{"name":"history"}, "name" : "hist\u006fry","_meta":{"progressToken":7}},"#
                + #""method":"tools/call","x":1.0}"#,
            answer: Sample.answer(id: "2"))
        #expect(
            situation.connection.sent.last
                == #"{ "id":2,"params":{"arguments":{"name":"history"}, "name" : "git_log","_meta":{"progressToken":2}},"#
                + #""method":"tools/call","x":1.0}"#)
        #expect(bodies == [Sample.answer(id: #""c""#)])
        #expect(situation.fixture.callLog.records.map(\.name) == ["history"])
    }

    @Test("a long call is spliced without being put together, to the same bytes")
    func longCall() throws {
        let situation = try ServerUnderPolicy(policy(rename: ["git_log": "history"]))
        let text = String(repeating: "x", count: MessageBytes.copyLimit)
        func call(_ id: String, _ tool: String) -> String {
            #"{"id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":{"t":"\#(text)"}}}"#
        }
        _ = try situation.ask(call("9", "history"))
        #expect(situation.connection.sent.last == call("2", "git_log"))
    }

    @Test("a call that waits for its server has the server's name when it is sent")
    func held() throws {
        let situation = try ServerUnderPolicy(policy(rename: ["git_log": "history"]))
        situation.upstream.generationEnded(Ending(.exited(code: 1)), retry: situation.fixture.clock.now)
        _ = try situation.ask(Sample.call(id: "5", tool: "history"))
        let connection = try situation.upstream.startGeneration()
        #expect(connection.sent.contains { $0.contains(#""name":"git_log""#) })
    }

    @Test("the old name of a tool is unknown to clients")
    func oldName() throws {
        let situation = try ServerUnderPolicy(policy(rename: ["git_log": "history"]))
        let bodies = try situation.ask(Sample.call(id: "1", tool: "git_log"))
        #expect(bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool: git_log"}}"#])
        #expect(situation.connection.sent.count == 2)
    }

    @Test("a name that was given to one tool is not another's as well, whichever is listed first")
    func takenName() throws {
        let policy = try policy(rename: ["git_log": "history"])
        for tools in [#"[{"name":"history","x":1},{"name":"git_log"}]"#, #"[{"name":"git_log"},{"name":"history"}]"#] {
            let situation = try ServerUnderPolicy(policy)
            let bodies = try situation.ask(listTools, answer: #"{"id":2,"result":{"tools":\#(tools)}}"#)
            #expect(bodies == [#"{"id":"l","result":{"tools":[{"name":"history"}]}}"#])
        }
        let filtered = ToolListFilter(policy: policy).applied(
            to: try .of(#"{"id":2,"result":{"tools":[{"name":"history"},{"name":"git_log"},{"name":"x"}]}}"#))
        #expect(filtered?.namesTaken == ["history"])
    }

    @Test("a tool that is not allowed holds no name, new or old")
    func deniedRename() throws {
        let policy = try policy(deny: ["git_log"], rename: ["git_log": "history"])
        #expect(policy.ownName(of: "history") == "history")
        #expect(policy.name(forClients: "history") == "history")
        #expect(policy.name(forClients: "git_log") == nil)
        #expect(policy.ownName(of: "git_log") == nil)
    }

    @Test("two tools may exchange their names")
    func exchange() throws {
        let policy = try policy(rename: ["a": "b", "b": "a"])
        #expect(["a", "b", "c"].map(policy.name(forClients:)) == ["b", "a", "c"])
        #expect(["a", "b", "c"].map(policy.ownName(of:)) == ["b", "a", "c"])
    }

    @Test("deny wins over allow, and rules without a word allow everything")
    func deny() throws {
        let policy = try policy(allow: ["git_*"], deny: ["git_push", "mcp__files__git_r*"])
        #expect(["git_log", "git_push", "git_rm", "x"].map(policy.allows) == [true, false, false, false])
        #expect(try self.policy().allowsEverything)
        #expect(try self.policy(deny: ["x"]).allowsEverything == false)
    }
}
