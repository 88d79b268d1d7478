// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("what passes", .timeLimit(.minutes(1))) struct RelayTests {
        /// A11
        @Test("a notification gets 202 without a body and reaches the server") func notification() async throws {
            try await LodgeProcess.withServe(
                ["--isolation", "client"], server: BuiltProducts.everythingServer
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.post(#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#)
                #expect(answer.status == 202)
                #expect(answer["Content-Length"] == "0")
                #expect(answer.body.isEmpty)
                let seen = try await client.call("subscriptions").json?["result"]?["structuredContent"]
                #expect(seen?["rootsListChangedNotifications"] == 1)
            }
        }

        /// A12, X3
        @Test("calls with one id get their own answers, in one session and in two, whichever is first")
        func sameIDs() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                var sibling = try await lodge.stranger()
                (sibling.session, sibling.version) = (client.session, client.version)
                let other = try await lodge.client()
                try await client.send(MCPClient.call("wait", #"{"ms":400}"#, id: "7"))
                try await sibling.send(MCPClient.call("wait", #"{"ms":200}"#, id: "7"))
                try await other.send(MCPClient.call("wait", #"{"ms":1}"#, id: "7"))
                #expect(try await other.connection.response().text == MCPClient.text("waited 1 ms", id: "7"))
                #expect(try await sibling.connection.response().text == MCPClient.text("waited 200 ms", id: "7"))
                #expect(try await client.connection.response().text == MCPClient.text("waited 400 ms", id: "7"))
            }
        }

        static let ids = [
            "1", "0", "-1", "9007199254740993", "123456789012345678901234567890", "1.5", "1.50", "-0", "1e3", "1E+3",
            #""a""#, #""""#, #""1""#, #""\u0041\n\"""#, #""ä€😀""#, #""\ud83d\ude00""#,
            "\"\(String(repeating: "x", count: 1000))\"",
            "true", "[1,2]", #"{"a":1}"#,
        ]

        /// A13
        @Test("an id comes back byte for byte, whatever its form", arguments: ids) func sameBytes(
            id: String
        ) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let answer = try await lodge.client().post(MCPClient.echo("hi", id: id))
                #expect(answer.status == 200)
                #expect(answer.text == MCPClient.text("hi", id: id))
            }
        }

        /// A14
        @Test("every other byte of a request and of its answer stays") func unknownMembers() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.script()) { lodge in
                let client = try await lodge.client()
                let request =
                    #"{ "zeta":[1,2.50,1e2,-0] , "params" : {"b":"\u00e9\/ä","a":{"id":5,"jsonrpc":1}, "_meta":{"x/y":null}},"#
                    + #""method":"odd/one","jsonrpc":"2.0","id":"mine","b":true}"#
                let answer = try await client.post(request)
                #expect(answer.status == 200)
                // The number that lodge put in place of the id is its own affair.
                let got = answer.text.replacing(/"id":[0-9]+,"b":true/, with: #""id":"mine","b":true"#)
                #expect(
                    got == #"{"jsonrpc":"2.0","x":{"k":[1.0,2e1]},"id":"mine","result":{"got":\#(request)},"z":null}"#)
            }
        }

        /// A14
        @Test("line breaks between the tokens of a request do not cut it in two") func lineBreaks() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.script()) { lodge in
                let client = try await lodge.client()
                let answer = try await client.post("{\r\n\"jsonrpc\":\"2.0\",\n\"id\":1,\r\"method\":\"a/b\"\n}\n")
                #expect(answer.json?["result"]?["got"]?["method"] == "a/b")
            }
        }

        /// A15
        @Test("an error of the server comes back as the server wrote it, with 200") func serverError() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("test_elicitation_url_required", id: #""e""#)
                #expect(answer.status == 200)
                #expect(
                    answer.text.hasPrefix(
                        #"{"jsonrpc":"2.0","id":"e","error":{"code":-32042,"message":"a page must be visited first","#))
                let unknown = try await client.call("nobody", id: "2")
                #expect(unknown.status == 200)
                #expect(
                    unknown.text
                        == #"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"unknown tool 'nobody'"}}"#)
            }
        }

        /// A27
        @Test("a line of the server just under 4 MiB passes whole") func longLine() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty")) { lodge in
                let client = try await lodge.client()
                let length = (4 << 20) - 1
                let answer = try await client.call("line", #"{"bytes":\#(length)}"#, id: "1")
                #expect(answer.status == 200)
                // The id is one digit here, and was as many in the line as lodge has counted up to.
                #expect(abs(answer.body.count - length) < 4)
                #expect(answer.text.hasSuffix(#"xxx"}]}}"#))
            }
        }

        /// A14
        @Test("a ping is answered without the server") func ping() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.script()) { lodge in
                let answer = try await lodge.client().post(#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#)
                #expect(answer.text == #"{"jsonrpc":"2.0","id":"p","result":{}}"#)
            }
        }
    }
}
