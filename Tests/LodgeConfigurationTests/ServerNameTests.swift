// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("ServerName")
struct ServerNameTests {
    @Test(
        "names of the form are taken as they are",
        arguments: ["a", "7", "git-hub", "a--b", String(repeating: "x", count: 32)])
    func valid(_ text: String) throws {
        #expect(try ServerName(text).text == text)
    }

    @Test("other names are refused with one that would do")
    func refused() {
        let message =
            "server name 'My Server' cannot be used; use at most 32 of a-z, 0-9 and -,"
            + " with a letter or digit first and last; 'my-server' would do"
        #expect(throws: ConfigurationError(.name, message)) { try ServerName("My Server") }
    }

    @Test(
        "no other form gets through",
        arguments: ["", "-a", "a-", "a_b", "A", "ä", "a\n", String(repeating: "x", count: 33)])
    func invalid(_ text: String) {
        #expect(throws: ConfigurationError.self) { try ServerName(text) }
    }

    @Test(
        "a slug is lower case with single dashes and fits",
        arguments: [
            ("GitHub Server", "github-server"), ("__a..b__", "a-b"), ("Ünï", "n"), ("ok", "ok"),
            (String(repeating: "ab-", count: 20), "ab-ab-ab-ab-ab-ab-ab-ab-ab-ab-ab"),
        ])
    func slug(_ text: String, _ expected: String) throws {
        let slug = try #require(ServerName.slug(of: text))
        #expect(slug.text == expected)
        #expect(try ServerName(slug.text) == slug)
    }

    @Test("the name that stands for all servers is no server's")
    func reserved() {
        let message = "server name 'all' stands for all servers together; choose another name"
        #expect(throws: ConfigurationError(.name, message)) { try ServerName("all") }
        #expect(ServerName.slug(of: "All!") == nil)
    }

    @Test("there is no slug of nothing", arguments: ["", "---", "日本"])
    func noSlug(_ text: String) {
        #expect(ServerName.slug(of: text) == nil)
    }
}
