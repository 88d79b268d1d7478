// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Testing

@testable import BrokerCore

@Suite("Tool policy")
struct ToolPolicyTests {
    private static func policy(_ patterns: String...) throws -> ToolPolicy {
        ToolPolicy(server: try ServerName("files"), allowing: try patterns.map { try ToolPattern.parse($0) })
    }

    private let listTools = #"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#

    @Test("a list keeps the allowed tools with their bytes, and every byte around the list")
    func filtered() throws {
        let situation = try ServerUnderPolicy(Self.policy("git_log", "git_diff*"))
        let (log, diff) = (#"{"name":"git_log", "x":1.0}"#, #"{ "n":{"name":"rm"},"name":"git_d\u0069ff_staged" }"#)
        let (push, rm) = (#"{"name":"git_push"}"#, #"{"name":"rm"}"#)
        let bodies = try situation.ask(
            listTools,
            answer:
                #"{"a":[1.0],"id":2,"#
                + #""result":{"x":1, "tools" : [ \#(push), \#(log) ,\#(rm),\#(diff)],"nextCursor":"c"}}"#
        )
        #expect(
            bodies == [#"{"a":[1.0],"id":"l","result":{"x":1, "tools" : [\#(log),\#(diff)],"nextCursor":"c"}}"#])
    }

    @Test(
        "a message that a server which ignores case could read as another call never reaches it",
        arguments: [
            (#"{"id":1,"method":"tools/list","Method":"tools/call","params":{"name":"rm"}}"#, "method"),
            (#"{"id":1,"method":"tools/call","params":{"name":"a","Name":"rm"}}"#, "params.name"),
            (#"{"id":1,"method":"tools/call","params":{"name":"a"},"PARAMS":{"name":"rm"}}"#, "params"),
            (#"{"id":1,"method":"Tools/Call","params":{"name":"rm"}}"#, "method"),
            (#"{"id":1,"method":"tools/call ","params":{"name":"rm"}}"#, "method"),
            (#"{"id":1,"method":"tools/list","\u004dethod":"tools/call","params":{"name":"rm"}}"#, "method"),
        ])
    func caseVariants(message: String, member: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("a"))
        let before = situation.connection.sent.count
        let refusal =
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"'\#(member)' can be read in two ways; "#
            + #"write it once, in its own case"}}"#
        #expect(try situation.ask(message) == [refusal])
        #expect(situation.connection.sent.count == before)
    }

    @Test("without a policy such a message passes as it is, for there is nothing to pass by")
    func caseVariantsWithoutPolicy() throws {
        let situation = try ServerUnderPolicy(.everything)
        let before = situation.connection.sent.count
        _ = try situation.ask(#"{"id":1,"method":"tools/call","params":{"name":"a","Name":"rm"}}"#)
        #expect(situation.connection.sent.count == before + 1)
    }

    @Test("a list asked for under an escaped method is filtered too")
    func escapedMethod() throws {
        let situation = try ServerUnderPolicy(Self.policy("a"))
        let bodies = try situation.ask(
            #"{"id":1,"method":"tools\/list"}"#, answer: #"{"id":2,"result":{"tools":[{"name":"b"}]}}"#)
        #expect(bodies == [#"{"id":1,"result":{"tools":[]}}"#])
    }

    @Test(
        "a tool without a name that is certain is not listed",
        arguments: [
            #"{"name":"a","name":"b"}"#, #"{"name":5}"#, "{}", "\"a\"", "null", #"{"\u006eame":"b","name":"a"}"#,
        ])
    func uncertainName(tool: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("a"))
        let bodies = try situation.ask(listTools, answer: #"{"id":2,"result":{"tools":[\#(tool)]}}"#)
        #expect(bodies == [#"{"id":"l","result":{"tools":[]}}"#])
    }

    @Test(
        "a list that can be read in two ways is not passed on",
        arguments: [#"{"tools":[],"tools":[{"name":"b"}]}"#, #"{"tools":[],"t\u006fols":[]}"#, #"{"tools":{}}"#])
    func ambiguousList(result: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("a"))
        let bodies = try situation.ask(listTools, answer: #"{"id":2,"result":\#(result)}"#)
        #expect(
            bodies == [
                #"{"jsonrpc":"2.0","id":"l","error":{"code":-32000,"#
                    + #""message":"server 'files' answered with a list of tools that can be read in two ways","#
                    + #""data":{"server":"files","reason":"unusable-answer","#
                    + #""hint":"the answer was dropped; this is a fault of the server"}}}"#
            ])
    }

    @Test("an error in place of the list is passed on")
    func error() throws {
        let situation = try ServerUnderPolicy(Self.policy("a"))
        let bodies = try situation.ask(listTools, answer: #"{"id":2,"error":{"code":-1,"message":"no"}}"#)
        #expect(bodies == [#"{"id":"l","error":{"code":-1,"message":"no"}}"#])
    }

    @Test(
        "a call of a tool that is not allowed is refused, never reaches the server, and is recorded",
        arguments: ["tools/call", #"tools\/call"#, #"t\u006fols/call"#])
    func refused(method: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("git_log"))
        let bodies = try situation.ask(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"name":"git_push"}}"#)
        #expect(
            bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool: git_push"}}"#])
        #expect(situation.connection.sent.count == 2)
        #expect(situation.fixture.callLog.records.map(\.outcome) == [.refused])
        #expect(situation.fixture.callLog.records.map(\.name) == ["git_push"])
    }

    @Test(
        "a call whose tool cannot be told is refused",
        arguments: [#"{"name":5}"#, #"{}"#, #"["git_log"]"#, #"{"name":"git_log\u0000"}"#, #"{"name":"GIT_LOG"}"#])
    func uncertainCall(params: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("git_log"))
        _ = try situation.ask(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#)
        #expect(situation.connection.sent.count == 2)
    }

    @Test("a call that names two tools is no message")
    func twoNames() throws {
        #expect(throws: (any Error).self) {
            try ClientMessage.of(#"{"id":1,"method":"tools/call","params":{"name":"git_log","name":"rm"}}"#)
        }
    }

    @Test("an allowed call passes, its name escaped or not", arguments: ["git_log", #"git\u005flog"#])
    func allowed(name: String) throws {
        let situation = try ServerUnderPolicy(Self.policy("git_log"))
        let bodies = try situation.ask(Sample.call(id: "9", tool: name), answer: Sample.answer(id: "2"))
        #expect(situation.connection.sent.last == Sample.call(id: "2", tool: name))
        #expect(bodies == [Sample.answer(id: "9")])
    }

    @Test("no pattern allows no tool")
    func nothing() throws {
        let policy = ToolPolicy(server: try ServerName("files"), allowing: [])
        #expect(!policy.allows("a"))
        #expect(!policy.allowsEverything)
    }

    @Test("without a policy every tool may be used, and lists are not touched")
    func everything() throws {
        let situation = try ServerUnderPolicy(.everything)
        let bodies = try situation.ask(listTools, answer: #"{"id":2,"result":{"tools":[{"name":"x","name":"y"}]}}"#)
        #expect(bodies == [#"{"id":"l","result":{"tools":[{"name":"x","name":"y"}]}}"#])
    }

    @Test("patterns may name the server, and fit no other server's tools")
    func serverPatterns() throws {
        let policy = try Self.policy("mcp__files__read", "mcp__other")
        #expect(policy.allows("read"))
        #expect(!policy.allows("write"))
    }
}
