// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("Questions of modern servers")
struct InputQuestionsTests {
    private func questions(_ result: String) throws -> InputQuestions {
        let message = Array(#"{"id":1,"result":\#(result)}"#.utf8)
        return try InputQuestions(try MessageScanner.scan(message.span), in: message.span)
    }

    @Test("each question has its key, its method and what it needs; the state stays raw")
    func reading() throws {
        let input = try questions(
            #"{"inputRequests":{"a":{"method":"elicitation/create","params":{"mode":"url","url":"u"}},"#
                + #""b":{"method":"roots/list"}},"requestState":"x\u0041"}"#)
        #expect(input.questions.map(\.request.key) == ["a", "b"])
        #expect(input.questions.map(\.needed) == [.elicitationURL, .roots])
        #expect(input.state == Array(#""x\u0041""#.utf8))
        #expect(
            input.questions[0].request.legacyParams(elicitationID: "e-1")
                == ["mode": "url", "url": "u", "elicitationId": "e-1"])
        #expect(input.questions[1].request.legacyParams(elicitationID: "e-1") == nil)
    }

    @Test(
        "what cannot be put to a client is told",
        arguments: [
            ("{}", "a request for input that asks for nothing"),
            (#"{"inputRequests":{"a":{}}}"#, "a request for input 'a' that names no method, or stands twice"),
            (
                #"{"inputRequests":{"a":{"method":"roots/list"},"a":{"method":"roots/list"}}}"#,
                "a request for input 'a' that names no method, or stands twice"
            ),
            (
                #"{"inputRequests":{"a":{"method":"tools/call"}}}"#,
                "a request for input by 'tools/call', which no client has"
            ),
        ])
    func problems(result: String, text: String) {
        let problem = #expect(throws: InputQuestions.Problem.self) { try questions(result) }
        #expect(problem?.text == text)
    }
}
