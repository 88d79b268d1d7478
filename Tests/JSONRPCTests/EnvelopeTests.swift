// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Envelope")
struct EnvelopeTests {
    private func scan(_ text: String) throws -> (Envelope, (Range<Int>?) -> String?) {
        let bytes = Array(text.utf8)
        return (try MessageScanner.scan(bytes), { $0.map { String(decoding: bytes[$0], as: UTF8.self) } })
    }

    @Test(
        "a message is what its members make it",
        arguments: [
            (#"{"id":1,"method":"m"}"#, Envelope.Kind.request),
            (#"{"method":"m","id":"a"}"#, .request),
            (#"{"method":"m"}"#, .notification),
            (#"{"id":null,"method":"m"}"#, .notification),
            (#"{"id":1,"result":{}}"#, .response),
            (#"{"id":1,"result":null}"#, .response),
            (#"{"id":1,"error":{}}"#, .errorResponse),
            (#"{"id":1,"result":1,"error":{}}"#, .errorResponse),
            (#"{"id":1,"method":"m","result":1}"#, .request),
            (#"{"id":null,"method":"m","error":1}"#, .notification),
            (#"{"id":1,"method":7,"result":1}"#, .invalid),
            (#"{"id":1}"#, .invalid),
            ("{}", .invalid),
            ("[]", .batch),
            (#"[{"id":1}]"#, .batch),
            ("null", .notAnObject),
            (#""text""#, .notAnObject),
        ])
    func kinds(text: String, kind: Envelope.Kind) throws {
        #expect(try MessageScanner.scan(Array(text.utf8)).kind == kind)
    }

    @Test(
        "a name in another case is told where a server could take it for the member",
        arguments: [
            (#"{"id":1,"method":"m","ID":2}"#, Member.id), (#"{"id":1,"method":"m","Method":"n"}"#, .method),
            ("{\"id\":1,\"method\":\"m\",\"param\u{17F}\":{}}", .params),
            (#"{"id":1,"method":"m","PARAM\u017F":{}}"#, .params),
            (#"{"id":1,"method":"m","params":{"_META":{}}}"#, .paramsMeta),
            (#"{"method":"m","params":{"requestId":1,"RequestId":2}}"#, .paramsRequestID),
            (#"{"id":1,"method":"m","params":{"Task":{}}}"#, .paramsTask),
            ("{\"id\":1,\"method\":\"m\",\"params\":{\"RequestState\":\"x\"}}", .paramsRequestState),
            ("{\"id\":1,\"method\":\"m\",\"params\":{\"ta\u{17F}\u{212A}ID\":\"x\"}}", .paramsTaskID),
            (
                "{\"id\":1,\"method\":\"m\",\"params\":{\"_meta\":{\"progre\u{17F}\u{17F}to\u{212A}en\":1}}}",
                .metaProgressToken
            ),
            (#"{"id":1,"Result":{}}"#, .result), (#"{"id":1,"ERROR":{}}"#, .error),
            (#"{"id":1,"METHOD":"m","ID":2}"#, .method),
        ])
    func variants(text: String, member: Member) throws {
        #expect(try MessageScanner.scan(Array(text.utf8)).variant == member)
    }

    @Test(
        "names that nobody takes for a member are left alone",
        arguments: [
            #"{"id":1,"method":"m","ids":2,"i":3,"JSONRPC":"2.0","mеthod":1}"#,
            #"{"id":1,"method":"m","params":{"arguments":{"ID":1,"Method":2},"URI":"x","requestIdd":1}}"#,
            #"{"id":1,"result":{"_META":{},"RequestId":1}}"#, #"[{"ID":1}]"#,
        ])
    func noVariants(text: String) throws {
        #expect(try MessageScanner.scan(Array(text.utf8)).variant == nil)
    }

    @Test("every part of a request that routing needs is found where it stands")
    func requestParts() throws {
        let (envelope, text) = try scan(
            """
            {"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{"name":"n","uri":"u","level":"debug",\
            "taskId":"t","cursor":"c","protocolVersion":"v","requestId":7,"progressToken":8,"requestState":"s",\
            "_meta":{"progressToken":9,"io.modelcontextprotocol/protocolVersion":"2026-07-28",\
            "io.modelcontextprotocol/logLevel":"info","io.modelcontextprotocol/subscriptionId":5}}}
            """)
        #expect(envelope.kind == .request)
        #expect(envelope.hasVersion2)
        #expect(envelope.hasModernMeta)
        #expect(!envelope.idIsNull && !envelope.methodHasEscapes && !envelope.hasLineBreaks)
        #expect(text(envelope.id) == #""a-1""#)
        #expect(text(envelope.method) == "tools/call")
        #expect(text(envelope.name) == #""n""#)
        #expect(text(envelope.uri) == #""u""#)
        #expect(text(envelope.level) == #""debug""#)
        #expect(text(envelope.taskID) == #""t""#)
        #expect(text(envelope.cursor) == #""c""#)
        #expect(text(envelope.protocolVersion) == #""v""#)
        #expect(text(envelope.requestID) == "7")
        #expect(text(envelope.paramsProgressToken) == "8")
        #expect(text(envelope.requestState) == #""s""#)
        #expect(text(envelope.progressToken) == "9")
        #expect(text(envelope.metaProtocolVersion) == #""2026-07-28""#)
        #expect(text(envelope.metaLogLevel) == #""info""#)
        #expect(text(envelope.subscriptionID) == "5")
        #expect(text(envelope.meta)?.hasPrefix(#"{"progressToken":9"#) == true)
        #expect(text(envelope.params)?.hasSuffix("5}}") == true)
    }

    @Test("the parts of a result and of an error are found where they stand")
    func responseParts() throws {
        let (envelope, text) = try scan(
            #"{"result":{"protocolVersion":"2025-11-25","resultType":"complete","requestState":"s","#
                + #""_meta":{"io.modelcontextprotocol/subscriptionId":"x"}},"error":{"code":-32601},"id":3}"#)
        #expect(text(envelope.id) == "3")
        #expect(text(envelope.protocolVersion) == #""2025-11-25""#)
        #expect(text(envelope.resultType) == #""complete""#)
        #expect(text(envelope.requestState) == #""s""#)
        #expect(text(envelope.subscriptionID) == #""x""#)
        #expect(text(envelope.errorCode) == "-32601")
        #expect(!envelope.hasVersion2 && !envelope.hasModernMeta)
    }

    @Test("params come before the result, whichever stands first")
    func paramsFirst() throws {
        for message in [
            #"{"params":{"protocolVersion":"p"},"result":{"protocolVersion":"r"}}"#,
            #"{"result":{"protocolVersion":"r"},"params":{"protocolVersion":"p"}}"#,
        ] {
            let (envelope, text) = try scan(message)
            #expect(text(envelope.protocolVersion) == #""p""#)
        }
    }

    @Test("member names are compared after unescaping")
    func escapedNames() throws {
        let (envelope, text) = try scan(
            #"{"\u0069d":1,"m\u0065thod":"p\u0069ng","params":{"_m\u0065ta":{"progress\u0054oken":2}}}"#)
        #expect(envelope.kind == .request)
        #expect(text(envelope.id) == "1")
        #expect(text(envelope.method) == #"p\u0069ng"#)
        #expect(envelope.methodHasEscapes)
        #expect(text(envelope.progressToken) == "2")
    }

    @Test("members of the same name further down mean nothing")
    func deeperNames() throws {
        let (envelope, _) = try scan(
            #"{"params":{"arguments":{"id":1,"_meta":{"progressToken":1}},"id":2},"x":{"method":"m"}}"#)
        #expect(envelope.id == nil && envelope.method == nil && envelope.progressToken == nil && envelope.meta == nil)
        #expect(envelope.kind == .invalid)
    }

    @Test("params that are no object are passed on unread")
    func otherParams() throws {
        let (envelope, text) = try scan(#"{"method":"m","params":[{"name":"n"}],"id":1}"#)
        #expect(text(envelope.params) == #"[{"name":"n"}]"#)
        #expect(envelope.name == nil)
    }

    @Test("line breaks are reported around and inside the value, not inside strings")
    func lineBreaks() throws {
        let (plain, _) = try scan(" {\"id\":\"a\\nb\"}\t")
        #expect(!plain.hasLineBreaks && !plain.hasInnerLineBreaks)
        let (around, text) = try scan("\n{\"id\":1} \r\n")
        #expect(around.hasLineBreaks && !around.hasInnerLineBreaks)
        #expect(text(around.value) == #"{"id":1}"#)
        let (inside, _) = try scan("{\"id\":\r1}")
        #expect(inside.hasLineBreaks && inside.hasInnerLineBreaks)
    }

    @Test("a batch gives its elements one by one")
    func batch() throws {
        let bytes = Array(" [ {\"id\":1} ,2,[ ]\n, \"x\"]\n".utf8)
        let elements = try MessageScanner.batchElements(of: bytes.span)
        #expect(elements.map { String(decoding: bytes[$0], as: UTF8.self) } == [#"{"id":1}"#, "2", "[ ]", #""x""#])
        let none = try MessageScanner.batchElements(of: Array("[]".utf8).span)
        #expect(none.isEmpty)
    }

    @Test("an envelope is small enough to be handed on by value")
    func size() {
        #expect(MemoryLayout<Envelope>.size <= 256)
    }
}
