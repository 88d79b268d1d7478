# SPDX-License-Identifier: Apache-2.0
"""Scenarios of the conformance suite that 2025-11-25 alone has: handshake, session, and requests of the server."""
import re

import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from legacy import LEGACY, LegacyClient, initialize  # noqa: E402
from modern import elicited, sampled  # noqa: E402
from wire import next_id, send  # noqa: E402

pytestmark = pytest.mark.broker
DEFAULTS = {"name": ("string", "John Doe"), "age": ("integer", 30), "score": ("number", 95.5),
            "status": ("string", "active"), "verified": ("boolean", True)}


def text_of(result: dict) -> str:
    return "\n".join(block["text"] for block in result["content"])


def test_server_initialize(url: str):
    with LegacyClient(url) as client:
        assert client.initialized["protocolVersion"] == LEGACY
        assert client.initialized["serverInfo"]["name"]
        assert {"tools", "resources", "prompts"} <= client.initialized["capabilities"].keys()
        assert re.fullmatch(r"[\x21-\x7e]+", client.session)


def test_logging_set_level(url: str):
    with LegacyClient(url) as client:
        assert client.result("logging/setLevel", {"level": "info"}) == {}


def test_ping(url: str):
    with LegacyClient(url) as client:
        assert client.result("ping") == {}
        with client.send("ping", number="123") as exchange:
            assert exchange.response() == {"jsonrpc": "2.0", "id": "123", "result": {}}


def test_tools_call_with_logging(url: str):
    with LegacyClient(url) as client:
        client.result("logging/setLevel", {"level": "debug"})
        assert text_of(client.call("test_tool_with_logging"))
        notices = client.wait("notifications/message", 3)
        assert [(notice["level"], notice["data"]) for notice in notices] == [
            ("info", "Tool execution started"), ("info", "Tool processing data"), ("info", "Tool execution completed")]


def test_tools_call_sampling(url: str):
    asked = []

    def answer(params: dict) -> dict:
        asked.append(params)
        return sampled("This is a test response from the client")

    with LegacyClient(url, {"sampling/createMessage": answer}) as client:
        result = client.call("test_sampling", {"prompt": "Test prompt for sampling"})
        assert text_of(result) == "LLM response: This is a test response from the client"
        (params,) = asked
        content = params["messages"][0]["content"]
        content = content[0] if isinstance(content, list) else content
        assert content["text"] == "Test prompt for sampling"
        assert params["maxTokens"] == 100


def test_tools_call_elicitation(url: str):
    asked = []

    def answer(params: dict) -> dict:
        asked.append(params)
        return elicited(username="testuser", email="test@example.com")

    with LegacyClient(url, {"elicitation/create": answer}) as client:
        result = client.call("test_elicitation", {"message": "Please provide your information"})
        assert "accept" in text_of(result)
        (params,) = asked
        assert params["message"] == "Please provide your information"
        assert params["requestedSchema"]["required"] == ["username", "email"]


def asked_for(url: str, tool: str, **content) -> dict:
    """The properties of the form that the tool shows, which is filled in with `content`."""
    asked = []

    def answer(params: dict) -> dict:
        asked.append(params["requestedSchema"]["properties"])
        return elicited(**content)

    with LegacyClient(url, {"elicitation/create": answer}) as client:
        assert "accept" in text_of(client.call(tool))
    return asked[0]


def test_elicitation_sep1034_defaults(url: str):
    properties = asked_for(url, "test_elicitation_sep1034_defaults",
                           name="Jane Smith", age=25, score=88.0, status="inactive", verified=False)
    assert {name: (one["type"], one["default"]) for name, one in properties.items()} == DEFAULTS
    assert properties["status"]["enum"] == ["active", "inactive", "pending"]


def test_elicitation_sep1330_enums(url: str):
    kinds = asked_for(url, "test_elicitation_sep1330_enums", untitledSingle="option1", titledSingle="value1",
                      legacyEnum="opt1", untitledMulti=["option1", "option2"], titledMulti=["value1", "value2"])
    assert kinds["untitledSingle"]["enum"] == ["option1", "option2", "option3"]
    assert not {"oneOf", "enumNames"} & kinds["untitledSingle"].keys()
    assert [set(one) for one in kinds["titledSingle"]["oneOf"]] == [{"const", "title"}] * 3
    assert kinds["legacyEnum"]["enumNames"] == ["Option One", "Option Two", "Option Three"]
    assert len(kinds["legacyEnum"]["enum"]) == 3
    assert (kinds["untitledMulti"]["type"], kinds["untitledMulti"]["items"]["type"]) == ("array", "string")
    assert kinds["untitledMulti"]["items"]["enum"] == ["option1", "option2", "option3"]
    assert [set(one) for one in kinds["titledMulti"]["items"]["anyOf"]] == [{"const", "title"}] * 3


def test_resources_subscribe(url: str):
    with LegacyClient(url) as client:
        assert client.result("resources/subscribe", {"uri": "test://watched-resource"}) == {}


def test_resources_unsubscribe(url: str):
    with LegacyClient(url) as client:
        assert client.result("resources/subscribe", {"uri": "test://watched-resource"}) == {}
        assert client.result("resources/unsubscribe", {"uri": "test://watched-resource"}) == {}


def test_server_session_lifecycle(url: str):
    with initialize(url) as exchange:
        session = exchange.headers["mcp-session-id"]
        version = exchange.response()["result"]["protocolVersion"]
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
               ("mcp-session-id", session), ("MCP-Protocol-Version", version)]
    with send(url, LEGACY, "POST", headers, {"jsonrpc": "2.0", "method": "notifications/initialized"}) as exchange:
        assert exchange.status == 202
    with send(url, LEGACY, "DELETE", headers[2:]) as exchange:
        assert 200 <= exchange.status < 300
    number = next_id()
    body = {"jsonrpc": "2.0", "id": number, "method": "tools/list", "params": {}}
    with send(url, LEGACY, "POST", headers, body, asked="tools/list", number=number) as exchange:
        assert exchange.status == 404
        assert "error" in exchange.response()


def test_server_sse_polling(url: str):
    """A stream that broke during a call is taken up again where it broke, and the answer comes on it."""
    with LegacyClient(url) as client:
        client.result("logging/setLevel", {"level": "debug"})
        with client.send("tools/call", {"name": "test_reconnection", "arguments": {}}) as exchange:
            assert exchange.type == "text/event-stream"
            answered = False
            for message in exchange.messages():
                answered = "result" in message
                break
            number = exchange.id
            # The first event only gives the client an id to come back with, and `retry` the time to do so.
            assert exchange.events[0].id
            assert exchange.events[0].data == ""
            assert any(event.retry for event in exchange.events)
            last = [event.id for event in exchange.events if event.id][-1]
        assert not answered, "the tool waits, so something came before its answer"
        with send(url, LEGACY, "GET", client.headers(("Last-Event-ID", last))[1:], asked="tools/call", number=number) as again:
            assert again.status == 200
            assert "result" in again.response()
