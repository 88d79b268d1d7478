// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("SpecificationFile refuses")
struct SpecificationFileRefusalTests {
    @Test(
        "a server without a name",
        arguments: [
            (#"[{"name":"a","command":"c"},{"command":"c"}]"#, "mcp.json:1:29: server 2 must have a name"),
            (#"[{"name":" ","command":"c"}]"#, "mcp.json:1:2: server 1 must have a name"),
            (#"[{"name":null,"command":"c"}]"#, "mcp.json:1:2: server 1 must have a name"),
            (#"{"mcpServers":{"":{"command":"c"}}}"#, "mcp.json:1:16: a server of 'mcpServers' must have a name"),
        ])
    func name(_ text: String, _ message: String) {
        #expect(refusal(text) == message)
    }

    @Test(
        "a server without a command",
        arguments: [
            #"[{"name":"a"}]"#, #"[{"name":"a","command":" "}]"#, #"[{"name":"a","command":null}]"#,
            #"[{"name":"a","type":"stdio","url":"http://h"}]"#,
        ])
    func command(_ text: String) {
        #expect(refusal(text) == "mcp.json:1:2: server 'a' must have a command")
    }

    @Test("a remote server without a url")
    func url() {
        #expect(refusal(#"[{"name":"a","type":"http"}]"#) == "mcp.json:1:2: server 'a' must have a url")
    }

    @Test("a server with two ways to reach it")
    func both() {
        #expect(
            refusal(#"[{"name":"a","command":"c","url":"u"}]"#)
                == "mcp.json:1:2: server 'a' has both a command and a url; keep one")
    }

    @Test("a type that is not known, case included", arguments: ["STDIO", "websocket", ""])
    func type(_ word: String) {
        #expect(
            refusal(#"[{"name":"a","type":"\#(word)","command":"c"}]"#)
                == "mcp.json:1:21: server 'a': type '\(word)' is not known; use stdio, http or sse")
    }

    @Test("a name that is used twice")
    func duplicate() {
        #expect(
            refusal("[{\"name\":\"a\",\"command\":\"c\"},\n{\"name\":\"a\",\"command\":\"d\"}]")
                == "mcp.json:2:1: server name 'a' is used twice (first on line 1); rename one of them")
        #expect(
            refusal(#"{"mcpServers":{"a":{"command":"c"},"a":{"command":"c"}}}"#)
                == "mcp.json:1:36: server name 'a' is used twice (first on line 1); rename one of them")
    }

    @Test("two names that become one")
    func clash() {
        #expect(
            refusal(#"[{"name":"my-a","command":"c"},{"name":"My A","command":"c"}]"#)
                == "mcp.json:1:32: servers 'my-a' and 'My A' would both be named 'my-a'; rename one of them")
    }

    @Test("the name that stands for all servers", arguments: ["all", "All"])
    func reservedName(_ name: String) {
        #expect(
            refusal(#"[{"name":"\#(name)","command":"c"}]"#)
                == "mcp.json:1:2: server name '\(name)' stands for all servers together; choose another name")
    }

    @Test("a name of which nothing is left")
    func noSlug() {
        #expect(
            refusal(#"[{"name":"日本","command":"c"}]"#)
                == "mcp.json:1:2: server name '日本' has no letter a-z and no digit; rename it")
    }

    @Test(
        "members that appear twice",
        arguments: [
            (#"[{"name":"a","Name":"b","command":"c"}]"#, "mcp.json:1:14: server 1: 'Name' appears twice; keep one"),
            (
                #"[{"name":"a","command":"c","env":{"A":"1","A":"2"}}]"#,
                "mcp.json:1:43: server 'a': env A appears twice; keep one"
            ),
            (#"{"mcpServers":{},"mcpServers":{}}"#, "mcp.json:1:18: 'mcpServers' appears twice; join the two"),
        ])
    func members(_ text: String, _ message: String) {
        #expect(refusal(text) == message)
    }

    @Test(
        "members of the wrong type",
        arguments: [
            (#"[1]"#, "1:2: server 1 must be an object, not a number"),
            (#"{"mcpServers":[]}"#, "1:15: 'mcpServers' must be an object, not a list"),
            (#"{"mcpServers":{"a":"c"}}"#, "1:20: server 'a' must be an object, not a string"),
            (#"[{"name":1}]"#, "1:10: server 1: name must be a string, not a number"),
            (#"[{"name":"a","command":["c"]}]"#, "1:24: server 'a': command must be a string, not a list"),
            (
                #"[{"name":"a","command":"c","args":"x"}]"#,
                "1:35: server 'a': args must be a list of strings, not a string"
            ),
            (
                #"[{"name":"a","command":"c","args":["x",1]}]"#,
                "1:40: server 'a': args must be a list of strings, not of a number"
            ),
            (
                #"[{"name":"a","command":"c","env":[]}]"#,
                "1:34: server 'a': env must be an object of strings, not a list"
            ),
            (
                #"[{"name":"a","command":"c","env":{"A":{}}}]"#,
                "1:39: server 'a': env A must be a string, not an object"
            ),
            (
                #"[{"name":"a","command":"c","env":{"A=B":""}}]"#,
                "1:35: server 'a': env has the name 'A=B', which cannot be used; rename it"
            ),
            (
                #"[{"name":"a","command":"c","disabled":"no"}]"#,
                "1:39: server 'a': disabled must be true or false, not a string"
            ),
            (
                #"[{"name":"a","command":"c","isolation":"own"}]"#,
                "1:40: server 'a': isolation 'own' is not known; use shared, client, call or pool"
            ),
            (
                #"[{"name":"a","command":"c","isolation":"pool","replicas":0}]"#,
                "1:58: server 'a': replicas must be a number from 1 to 64"
            ),
            (
                #"[{"name":"a","command":"c","isolation":"pool","replicas":65}]"#,
                "1:58: server 'a': replicas must be a number from 1 to 64"
            ),
            (
                #"[{"name":"a","command":"c","replicas":3}]"#,
                "1:39: server 'a': replicas is for isolation pool, and the server has shared; leave one of them out"
            ),
        ])
    func types(_ text: String, _ message: String) {
        #expect(refusal(text) == "mcp.json:\(message)")
    }

    @Test("a reference it cannot resolve, with its place")
    func reference() {
        #expect(
            refusal(#"[{"name":"a","command":"c","env":{"T":"${secret:t}"}}]"#)
                == "mcp.json:1:39: server 'a': ${secret:t} needs the vault, which this version does not have yet;"
                + " use ${env:NAME} or ${file:PATH}")
    }

    @Test(
        "bad JSON, with line and column",
        arguments: [
            ("[\n {\"name\": }]", "2:11: failed to parse as JSON: a value is expected"),
            ("[1 2]", "1:4: failed to parse as JSON: ',' or ']' is expected"),
            ("{\"a\" 1}", "1:6: failed to parse as JSON: ':' is expected"),
            ("{\"a\":1,}", "1:8: failed to parse as JSON: a name in double quotes is expected"),
            ("{\"a\":1 \"b\"}", "1:8: failed to parse as JSON: ',' or '}' is expected"),
            ("[\"é\", x]", "1:7: failed to parse as JSON: a value is expected"),
            ("[", "1:2: failed to parse as JSON: the file ends too early"),
            ("[\"a", "1:4: failed to parse as JSON: the file ends too early"),
            ("[] []", "1:4: failed to parse as JSON: something follows the end of the value"),
            ("[\"a\nb\"]", "1:4: failed to parse as JSON: a string holds a control character that is not escaped"),
            (#"["\x"]"#, "1:4: failed to parse as JSON: an escape is not one of JSON's"),
            (#"["\u12"]"#, "1:7: failed to parse as JSON: four hexadecimal digits are expected"),
            (#"["\ud800"]"#, "1:9: failed to parse as JSON: half a surrogate pair is missing"),
            ("[01]", "1:3: failed to parse as JSON: ',' or ']' is expected"),
            ("[-]", "1:3: failed to parse as JSON: a digit is expected"),
        ])
    func syntax(_ text: String, _ message: String) {
        #expect(refusal(text) == "mcp.json:\(message)")
    }

    @Test("a document of another shape")
    func shape() {
        #expect(
            refusal("{}")
                == "mcp.json:1:1: there are no servers; give a list of servers, or an object with 'mcpServers', "
                + "'servers', 'context_servers', 'mcp_servers' or 'mcp'")
        #expect(
            refusal("7") == "mcp.json:1:1: expected a list of servers or an object with 'mcpServers', found a number")
    }

    @Test("nesting that would exhaust the stack")
    func deep() {
        #expect(
            refusal(String(repeating: "[", count: 100_000))
                == "mcp.json:1:129: failed to parse as JSON: it is nested too deeply")
    }
}
