// SPDX-License-Identifier: Apache-2.0
import MCPProtocol
import Testing

@Suite("values of headers") struct HeaderValueTests {
    static let pairs: [(text: String, value: String)] = [
        ("us-west1", "us-west1"), ("us west 1", "us west 1"), ("", ""), ("file:///a%20b?c=d#e", "file:///a%20b?c=d#e"),
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="), (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="), ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("a\tb", "=?base64?YQli?="), ("\u{7F}", "=?base64?fw==?="), ("line\r\n", "=?base64?bGluZQ0K?="),
        ("=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="), ("=?BASE64?x?=", "=?BASE64?x?="), ("=?base64?x", "=?base64?x"),
        ("é", "=?base64?w6k=?="), ("~ÿ>?", "=?base64?fsO/Pj8=?="),
    ]

    @Test("text is carried as it is where it can be, else encoded, and comes back", arguments: pairs)
    func roundTrip(text: String, value: String) {
        #expect(HeaderValue.encode(text) == value)
        #expect(HeaderValue.decode(value) == text)
    }

    @Test("text of every length comes back") func lengths() {
        for count in 0..<64 {
            let text = String(repeating: "ü", count: count) + String(repeating: "\n", count: count % 3)
            #expect(HeaderValue.decode(HeaderValue.encode(text)) == text)
        }
    }

    @Test(
        "an encoded value that is malformed means nothing",
        arguments: [
            "=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?YR==?=", "=?base64?YWJ=?=", "=?base64?====?=",
            "=?base64?A===?=", "=?base64?YQ==YQ==?=", "=?base64?/w==?=", "=?base64?YQ= =?=", "a\nb", "é", "\u{7F}",
            "\u{0}",
        ])
    func malformed(value: String) { #expect(HeaderValue.decode(value) == nil) }

    @Test("what only looks encoded is text, and white space around a value is none of it")
    func literals() {
        #expect(HeaderValue.decode("=?base64?SGVsbG8=") == "=?base64?SGVsbG8=")
        #expect(HeaderValue.decode("SGVsbG8=?=") == "SGVsbG8=?=")
        #expect(HeaderValue.decode("=?Base64?SGVsbG8=?=") == "=?Base64?SGVsbG8=?=")
        #expect(HeaderValue.decode("=?base64?=") == "=?base64?=")
        #expect(HeaderValue.decode("=?base64??=") == "")
        #expect(HeaderValue.decode(" \ta b\t ") == "a b")
        #expect(HeaderValue.decode(" =?base64?YQ==?= ") == "a")
        #expect(HeaderValue.decode("a\tb") == "a\tb")
    }

    @Test("methods that name what they are about") func methods() {
        let members = ["tools/call", "prompts/get", "resources/read", "tasks/get", "tasks/update", "tasks/cancel"]
            .map { NamedMethod.member(of: $0) }
        #expect(members == ["name", "name", "uri", "taskId", "taskId", "taskId"])
        #expect(NamedMethod.member(of: "tools/list") == nil)
        #expect(NamedMethod.member(of: "Tools/call") == nil)
    }
}
