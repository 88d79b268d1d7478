# SPDX-License-Identifier: Apache-2.0
"""Scenario `server-stateless` of the conformance suite, one test for each of its checks."""
import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from modern import MODERN, PREFIX, ModernClient, answers_to, meta, state_of  # noqa: E402

pytestmark = pytest.mark.broker
UNKNOWN = "v999.0.0"
WITHOUT = {
    "missing_meta": {},
    "missing_protocol_version": {"_meta": {key: value for key, value in meta().items() if "protocolVersion" not in key}},
    "missing_client_capabilities": {
        "_meta": {key: value for key, value in meta().items() if "clientCapabilities" not in key}},
}


@pytest.fixture
def modern(url: str) -> ModernClient:
    """A client that declares nothing."""
    return ModernClient(url, {})


@pytest.mark.parametrize("case", WITHOUT)
def test_request_meta_invalid(modern: ModernClient, case: str):
    """Also `http-server-meta-invalid-400`: what a request must say and does not makes it invalid."""
    modern.error(400, -32602, "server/discover", WITHOUT[case], valid=False)


def test_request_meta_client_info_optional(modern: ModernClient):
    params = {"_meta": {key: value for key, value in meta({}).items() if "clientInfo" not in key}}
    assert MODERN in modern.result("server/discover", params)["supportedVersions"]


def test_server_implements_discover(modern: ModernClient):
    result = modern.result("server/discover")
    assert result["supportedVersions"] == [MODERN]
    assert result["capabilities"]["tools"] is not None


def test_server_identifies_in_result_meta(modern: ModernClient):
    for method in ("server/discover", "tools/list"):
        info = modern.result(method)["_meta"][f"{PREFIX}serverInfo"]
        assert info["name"]
        assert info["version"]


def test_server_declares_prompts_in_discover(modern: ModernClient):
    assert modern.result("prompts/list")["prompts"]
    assert "prompts" in modern.result("server/discover")["capabilities"]


def test_discover_capabilities_match_handlers(modern: ModernClient):
    capabilities = modern.result("server/discover")["capabilities"]
    for capability, method, member in (("tools", "tools/list", "tools"), ("prompts", "prompts/list", "prompts"),
                                       ("resources", "resources/list", "resources")):
        assert capability in capabilities
        assert isinstance(modern.result(method)[member], list)


def test_server_unsupported_version_error(modern: ModernClient):
    """Also `http-server-unsupported-version-400`."""
    params = {"_meta": {**meta({}), f"{PREFIX}protocolVersion": UNKNOWN}}
    error = modern.error(400, -32022, "server/discover", params, headers={"MCP-Protocol-Version": UNKNOWN})
    assert error["data"]["requested"] == UNKNOWN
    supported = modern.result("server/discover")["supportedVersions"]
    assert error["data"]["supported"]
    assert set(error["data"]["supported"]) <= set(supported)


def test_http_server_header_mismatch_400(modern: ModernClient):
    params = {"_meta": {**meta({}), f"{PREFIX}protocolVersion": UNKNOWN}}
    modern.error(400, -32020, "server/discover", params)


def test_http_server_missing_version_header_400(modern: ModernClient):
    """Beyond the suite: a version that the body alone names is a mismatch as well."""
    modern.error(400, -32020, "server/discover", headers={"MCP-Protocol-Version": None})


def test_server_rejects_undeclared_capability(modern: ModernClient):
    """Also `missing-capability-http-400`."""
    error = modern.error(400, -32021, "tools/call", {"name": "test_missing_capability", "arguments": {}})
    assert error["data"]["requiredCapabilities"] == {"sampling": {}}


@pytest.mark.parametrize("method", [
    "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method"])
def test_http_server_method_not_found_404(modern: ModernClient, method: str):
    modern.error(404, -32601, method, {"_meta": meta({})}, valid=False)


@pytest.mark.parametrize("number", [500, "five hundred", 0, 9007199254740993], ids=str)
def test_http_server_error_jsonrpc_id(modern: ModernClient, number):
    """An error carries the id of its request, of whatever form (`Exchange` compares them)."""
    modern.error(404, -32601, "unknown/method", {"_meta": meta({})}, valid=False, number=number)


def test_http_server_no_independent_requests_on_stream(url: str):
    """What a server asks stands in its result; `response` fails on a request of its own."""
    params = {"name": "test_streaming_elicitation", "arguments": {}}
    client = ModernClient(url, {"elicitation": {}})
    with client.send("tools/call", params) as exchange:
        result = exchange.response()["result"]
        assert list(exchange.messages()) == []
    # A call that is left half way keeps log messages from the others: without tokens nobody knows whose they are.
    client.result("tools/call", {**params, "inputResponses": answers_to(result), **state_of(result)})


def test_server_no_log_without_loglevel(modern: ModernClient):
    with modern.send("tools/call", {"name": "test_logging_tool", "arguments": {}}) as exchange:
        assert "result" in exchange.response()
        assert exchange.notices == []


def test_server_logs_from_the_loglevel_on(modern: ModernClient):
    """Beyond the suite: a request that names a level gets what is said at or above it, on its own stream."""
    def logged(level: str) -> list[str]:
        params = {"name": "test_tool_with_logging", "arguments": {}, "_meta": meta({}, logLevel=level)}
        with modern.send("tools/call", params) as exchange:
            assert "result" in exchange.response()
            return [notice["params"]["data"] for notice in exchange.notices if notice["method"] == "notifications/message"]

    assert logged("info") == ["Tool execution started", "Tool processing data", "Tool execution completed"]
    assert logged("error") == []


def test_server_sends_subscription_ack(modern: ModernClient):
    with modern.listen(toolsListChanged=True) as listening:
        assert listening.honoured == {"toolsListChanged": True}


@pytest.mark.parametrize("number", ["a listen", 7], ids=["string", "integer"])
def test_server_tags_subscription_id(modern: ModernClient, number):
    """`Listening` compares the tag of every message, the acknowledgement's as well."""
    with modern.listen(number, toolsListChanged=True) as listening:
        modern.call("test_trigger_tool_change")
        assert listening.up_to("notifications/tools/list_changed")


def test_server_honors_notification_filter(modern: ModernClient):
    with modern.listen(promptsListChanged=True) as listening:
        modern.call("test_trigger_tool_change")
        modern.call("test_trigger_prompt_change")
        # What was changed first would have come first.
        assert listening.up_to("notifications/prompts/list_changed") == ["notifications/prompts/list_changed"]


def test_server_sends_prompts_list_changed_on_subscription(modern: ModernClient):
    assert modern.result("server/discover")["capabilities"]["prompts"]["listChanged"] is True
    with modern.listen(promptsListChanged=True) as listening:
        modern.call("test_trigger_prompt_change")
        assert listening.up_to("notifications/prompts/list_changed") == ["notifications/prompts/list_changed"]


def test_server_sends_tools_list_changed_on_subscription(modern: ModernClient):
    assert modern.result("server/discover")["capabilities"]["tools"]["listChanged"] is True
    with modern.listen(toolsListChanged=True) as listening:
        modern.call("test_trigger_tool_change")
        assert listening.up_to("notifications/tools/list_changed") == ["notifications/tools/list_changed"]


def test_two_subscriptions_each_get_their_own(modern: ModernClient):
    """Beyond the suite: listens of the same client at the same time, under ids that differ in their type alone."""
    with modern.listen(1, toolsListChanged=True) as one, modern.listen("1", toolsListChanged=True) as other:
        modern.call("test_trigger_tool_change")
        for listening in (one, other):
            assert listening.up_to("notifications/tools/list_changed") == ["notifications/tools/list_changed"]
