// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LodgeConfiguration

@Suite("A TOML file")
struct TOMLFileTests {
    private func read(_ text: String) throws -> SpecificationFile {
        try SpecificationFile.read(Array(text.utf8), sourceName: "config.toml")
    }

    private func refusal(_ text: String) -> String? {
        do { _ = try read(text) } catch { return "\(error)" }
        return nil
    }

    /// The value of `x`, as JSON would have it.
    private func value(_ text: String) throws -> String {
        guard case .object(let members) = try TOMLFileParser.parse(Array(text.utf8)).content else { return "no table" }
        return members.first { $0.key == "x" }.map { dump($0.value) } ?? "nothing"
    }

    private func dump(_ value: PositionedJSON) -> String {
        switch value.content {
        case .null: "null"
        case .boolean(let boolean): "\(boolean)"
        case .number(let number): number
        case .string(let string): string.debugDescription
        case .array(let elements): "[" + elements.map(dump).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { "\($0.key):\(dump($0.value))" }.joined(separator: ",") + "}"
        }
    }

    @Test("servers of Codex are read with their places, in the order of the file")
    func codex() throws {
        let file = try read(
            """
            model = "m" # of the agent
            [mcp_servers.zeta]
            command = "npx"
            args = ["-y", "server",
                    # not this one
            ]
            env = { "API_KEY" = "${KEY}", LEVEL = 3 }
            env_vars = ["HOME_TOKEN"]
            tool_timeout_sec = 30
            startup_timeout_sec = 20

            [mcp_servers."Al Pha"]
            command = 'C:\\x'
            [mcp_servers."Al Pha".env]
            A = "b"

            [mcp_servers.off]
            enabled = false

            [mcp_servers.bad]
            args = []
            """)
        let servers = file.entries.compactMap { entry -> ServerSpecification? in
            if case .server(let server) = entry { server } else { nil }
        }
        #expect(servers.map(\.name.text) == ["zeta", "al-pha"])
        let child = try servers[0].child()
        #expect(child.command.text == "npx")
        #expect(child.arguments.map(\.text) == ["-y", "server"])
        #expect(child.environment.mapValues(\.text) == ["API_KEY": "${KEY}", "LEVEL": "3"])
        #expect(child.passThrough == ["HOME_TOKEN"])
        #expect(servers[0].callTimeout == .seconds(30))
        #expect(try servers[1].child().command.text == #"C:\x"#)
        #expect(try servers[1].child().environment.mapValues(\.text) == ["A": "b"])
        guard case .refused(let error)? = file.entries.last else {
            Issue.record("the last one can be used")
            return
        }
        #expect("\(error)" == "config.toml:20:14: server 'bad' must have a command")
        #expect(
            file.notices.map(\.description) == [
                "config.toml: only 'mcp_servers' is read; ignored: model",
                "config.toml:10:1: server 'zeta': 'startup_timeout_sec' is not known and ignored",
                "config.toml:12:14: server 'Al Pha' is named 'al-pha' here",
                "config.toml:17:14: server 'off' is disabled and left out",
            ])
    }

    @Test(
        "values come out as they are meant",
        arguments: [
            ("x = 1", "1"), ("x = +1_000", "1000"), ("x = -0.5e3", "-0.5e3"), ("x = 0xFF", "255"), ("x = 0b101", "5"),
            ("x = true", "true"), ("x = 1979-05-27", "\"1979-05-27\""), ("x = 07:32:00", "\"07:32:00\""),
            ("x = 1979-05-27 07:32:00Z # d", "\"1979-05-27 07:32:00Z\""),
            ("x = 1979-05-27T07:32:00Z", "\"1979-05-27T07:32:00Z\""), (#"x = "a\tb\u00e9\U0001F600""#, #""a\tbé😀""#),
            (#"x = 'a\b'"#, #""a\\b""#), ("x = \"\"\"\na\nb\\\n   c\"\"\"\"", #""a\nbc\"""#),
            ("x = '''\r\na'b'''", #""a\'b""#), ("x = []", "[]"), ("x = [ [1,2,], ['a'] ]", "[[1,2],[\"a\"]]"),
            ("x.y.z = 1\nx.a = 2", "{y:{z:1},a:2}"), ("x = { a.b = 1, c = {} }", "{a:{b:1},c:{}}"),
            ("[x]\na = 1\n[x.y]\nb = 2", "{a:1,y:{b:2}}"), ("[x.y]\nb = 2\n[x]\na = 1", "{y:{b:2},a:1}"),
            ("[[x]]\na = 1\n[[x]]\na = 2\n[x.y]\nb = 3", "[{a:1},{a:2,y:{b:3}}]"), ("\"x\" = 1", "1"), ("'x'=1", "1"),
            ("[ x . y ]\nb=1", "{y:{b:1}}"), ("x = \"\"", "\"\""), ("x = ''''''", "\"\""), ("\u{FEFF}x = 1", "1"),
            ("x = 1\r\n", "1"),
        ])
    func values(_ text: String, _ expected: String) throws {
        #expect(try value(text) == expected)
    }

    @Test(
        "bad TOML, with line and column",
        arguments: [
            ("x", "1:2: failed to parse as TOML: the file ends too early"),
            ("x = \n", "1:5: failed to parse as TOML: a value is expected"),
            ("x = 1 y = 2", "1:7: failed to parse as TOML: the end of the line is expected"),
            ("x = 1\nx = 2", "2:1: failed to parse as TOML: 'x' appears twice"),
            ("[a]\n[b]\n[a]", "3:2: failed to parse as TOML: 'a' appears twice"),
            ("a = {}\n[a.b]", "2:2: failed to parse as TOML: 'a' appears twice"),
            ("a = 1\n[[a]]", "2:3: failed to parse as TOML: 'a' appears twice"),
            ("[a", "1:3: failed to parse as TOML: the file ends too early"),
            ("[a]]", "1:4: failed to parse as TOML: the end of the line is expected"),
            ("= 1", "1:1: failed to parse as TOML: a key is expected"),
            ("x = \"a\n", "1:7: failed to parse as TOML: a string has no end on its line"),
            (#"x = "\x""#, "1:7: failed to parse as TOML: an escape is not one of TOML's"),
            (#"x = "\uD800""#, "1:8: failed to parse as TOML: 4 hexadecimal digits of a character are expected"),
            ("x = [1 2]", "1:8: failed to parse as TOML: ',' or ']' is expected"),
            ("x = 01", "1:5: failed to parse as TOML: a value is expected"),
            ("x = 1__0", "1:5: failed to parse as TOML: a value is expected"),
            ("x = yes", "1:5: failed to parse as TOML: a value is expected"),
        ])
    func syntax(_ text: String, _ message: String) {
        #expect(refusal(text) == "config.toml:\(message)")
    }

    @Test("nesting that would exhaust the stack", arguments: ["x = " + String(repeating: "[", count: 100_000)])
    func deep(_ text: String) {
        #expect(refusal(text) == "config.toml:1:132: failed to parse as TOML: it is nested too deeply")
    }

    @Test("keys that nest too deeply")
    func deepKey() {
        let message = refusal(Array(repeating: "a", count: 1000).joined(separator: ".") + " = 1")
        #expect(message?.hasSuffix("failed to parse as TOML: it is nested too deeply") == true)
    }

    @Test("noise is refused or read, and never more than that")
    func noise() {
        let sample = Array(
            "[a.\"b\"]\nx = [1, 'y', {z = 1979-05-27}]\n[[c]]\nt = \"\"\"\\u00e9\n\"\"\" # end\nd.e = 0x1F\n".utf8)
        var state: UInt64 = 1
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for _ in 0..<3000 {
            var bytes = Array(sample.prefix(random(below: sample.count + 1)))
            for _ in 0..<random(below: 4) where !bytes.isEmpty {
                bytes[random(below: bytes.count)] = sample[random(below: sample.count)]
            }
            do {
                _ = try TOMLFileParser.parse(bytes)
            } catch {
                #expect((0...bytes.count).contains(error.offset))
            }
        }
    }
}
