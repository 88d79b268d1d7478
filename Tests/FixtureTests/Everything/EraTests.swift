// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct EraTests {
    @Test("a modern request first makes the process modern for good")
    func modernFirst() throws {
        let server = try ServerProcess()
        #expect(try server.ask(Modern.request(1, "tools/list"))["result"]?["resultType"] == "complete")
        let refusal = try server.ask(Message.request(2, "initialize", ["protocolVersion": "2025-11-25"]))
        #expect(refusal.code == -32_022)
        #expect(refusal["error"]?["data"] == ["supported": ["2026-07-28"], "requested": "2025-11-25"])
        #expect(refusal.errorMessage == "protocol version '2025-11-25' is not supported")
    }

    @Test("'initialize' first makes the process legacy for good, whatever an envelope says later")
    func legacyFirst() throws {
        let server = try ServerProcess()
        #expect(try server.initialize()["protocolVersion"] == "2025-11-25")
        #expect(try server.ask(Modern.request(1, "server/discover")).code == -32_601)
        let list = try server.ask(Modern.request(2, "tools/list"))
        #expect(list["result"]?["tools"] != nil)
        #expect(list["result"]?["resultType"] == nil)
    }

    @Test("what tells no era is answered as a legacy server would, and decides nothing")
    func undecided() throws {
        let server = try ServerProcess()
        #expect(try server.ask(Message.request(1, "ping"))["result"] == [:])
        #expect(try server.ask(Message.request(2, "tools/list")).code == -32_600)
        #expect(try server.ask(Modern.request(3, "server/discover"))["result"]?["supportedVersions"] == ["2026-07-28"])
    }

    @Test(
        "a server locked to the legacy era knows no modern request",
        arguments: [("server/discover", -32_601), ("tools/list", -32_600), ("subscriptions/listen", -32_601)])
    func lockedLegacy(method: String, code: Int) throws {
        let server = try ServerProcess("--era", "legacy")
        #expect(try server.ask(Modern.request(1, method)).code == code)
        try server.initialize()
    }

    @Test("a server locked to the modern era refuses the handshake")
    func lockedModern() throws {
        let server = try ServerProcess("--era", "modern")
        let refusal = try server.ask(Message.request(1, "initialize", ["protocolVersion": "2024-11-05"]))
        #expect(refusal["error"]?["data"] == ["supported": ["2026-07-28"], "requested": "2024-11-05"])
        #expect(try server.ask(Message.request(2, "tools/list")).code == -32_602)
        #expect(try server.ask(Modern.request(3, "tools/list"))["result"]?["tools"] != nil)
    }

    @Test("words that are no options are shown by 'whoami' and change nothing")
    func words() throws {
        let server = try ServerProcess("one two", "$HOME;*")
        let seen = try server.ask(Modern.call(1, "whoami"))["result"]?["structuredContent"]
        #expect(seen?["arguments"] == ["one two", "$HOME;*"])
    }

    /// Names that the conformance suite calls in both eras.
    private static let names: Set = [
        "test_simple_text", "test_image_content", "test_audio_content", "test_embedded_resource",
        "test_multiple_content_types", "test_tool_with_logging", "test_tool_with_progress", "test_error_handling",
        "test_sampling", "test_elicitation", "test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums",
        "test_reconnection", "test_missing_capability", "test_streaming_elicitation", "test_logging_tool",
        "test_trigger_tool_change", "test_trigger_prompt_change", "json_schema_2020_12_tool", "test_x_mcp_header",
        "test_input_required_result_elicitation", "test_input_required_result_sampling",
        "test_input_required_result_list_roots", "test_input_required_result_request_state",
        "test_input_required_result_multiple_inputs", "test_input_required_result_multi_round",
        "test_input_required_result_tampered_state", "test_input_required_result_capabilities",
    ]

    @Test("the tools of the conformance suite are there in both eras", arguments: [true, false])
    func tools(isModern: Bool) throws {
        let server = try ServerProcess()
        if !isModern { try server.initialize() }
        let list = try server.ask(isModern ? Modern.request(1, "tools/list") : Message.request(1, "tools/list"))
        let tools = try #require(list["result"]?["tools"]?.elements)
        let listed = tools.compactMap { $0["name"]?.text }
        #expect(Self.names.subtracting(listed).isEmpty)
        #expect(Set(listed).count == listed.count)
        #expect(listed.contains("ping_client") == !isModern)
        let header = try #require(tools.first { $0["name"]?.text == "test_x_mcp_header" })
        #expect(header["inputSchema"]?["properties"]?["region"]?["x-mcp-header"] == "Region")
    }
}
