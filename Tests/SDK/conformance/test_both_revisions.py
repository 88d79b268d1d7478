# SPDX-License-Identifier: Apache-2.0
"""Scenarios of the conformance suite that both revisions have, each at its own wire."""
import base64
import json
import re
import threading
from urllib.parse import urlsplit

import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from legacy import initialize  # noqa: E402
from modern import ModernClient  # noqa: E402

pytestmark = pytest.mark.broker
PNG, WAVE = b"\x89PNG\r\n\x1a\n", b"RIFF"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def decoded(data: str) -> bytes:
    return base64.b64decode(data, validate=True)


def test_completion_complete(client):
    completion = client.result("completion/complete", {
        "ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "argument": {"name": "arg1", "value": "test"}})
    assert isinstance(completion["completion"]["values"], list)


def test_tools_list(client):
    tools = client.result("tools/list")["tools"]
    assert tools
    for tool in tools:
        assert re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", tool["name"]), tool["name"]
        assert tool["description"]
        assert tool["inputSchema"]["type"] == "object"


def test_tools_call_simple_text(client):
    # `arguments` may be left out where a tool needs none.
    result = client.result("tools/call", {"name": "test_simple_text"})
    assert result["content"] == [{"type": "text", "text": "This is a simple text response for testing."}]


def test_tools_call_image(client):
    (block,) = client.call("test_image_content")["content"]
    assert (block["type"], block["mimeType"]) == ("image", "image/png")
    assert decoded(block["data"]).startswith(PNG)


def test_tools_call_audio(client):
    (block,) = client.call("test_audio_content")["content"]
    assert (block["type"], block["mimeType"]) == ("audio", "audio/wav")
    assert decoded(block["data"]).startswith(WAVE)


def test_tools_call_embedded_resource(client):
    (block,) = client.call("test_embedded_resource")["content"]
    assert block["type"] == "resource"
    assert block["resource"]["uri"] == "test://embedded-resource"
    assert block["resource"]["mimeType"] == "text/plain"
    assert block["resource"]["text"]


def test_tools_call_mixed_content(client):
    content = client.call("test_multiple_content_types")["content"]
    assert [block["type"] for block in content] == ["text", "image", "resource"]


def test_tools_call_error(client):
    result = client.call("test_error_handling")
    assert result["isError"] is True
    assert result["content"][0]["text"]


@pytest.mark.parametrize("token", ["progress-test-1", 1], ids=["string", "integer"])
def test_tools_call_with_progress(client, token):
    params = {"name": "test_tool_with_progress", "arguments": {}, "_meta": client.meta(progressToken=token)}
    with client.send("tools/call", params) as exchange:
        answer = exchange.response()
    assert answer["result"]["content"]
    steps = [notice["params"] for notice in exchange.notices if notice["method"] == "notifications/progress"]
    # The token comes back as it was, type and all, and on the stream of its own request.
    assert [step["progressToken"] for step in steps] == [token] * 3
    assert [(step["progress"], step["total"]) for step in steps] == [(0, 100), (50, 100), (100, 100)]


def test_server_sse_multiple_streams(client):
    """Three requests at once, each with its own answer."""
    gate = threading.Barrier(3)
    answers: dict[int, dict] = {}

    def ask(number: int):
        gate.wait()
        with client.send("tools/list", {}, number=number) as exchange:
            answers[number] = exchange.response()
            assert exchange.status == 200

    threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [1, 2, 3]
    assert all(answer["result"]["tools"] for answer in answers.values())


def test_resources_list(client):
    resources = client.result("resources/list")["resources"]
    assert {"test://static-text", "test://static-binary", "test://watched-resource"} <= {one["uri"] for one in resources}
    assert all(one["name"] for one in resources)


def test_resources_read_text(client):
    (content,) = client.result("resources/read", {"uri": "test://static-text"})["contents"]
    assert (content["uri"], content["mimeType"]) == ("test://static-text", "text/plain")
    assert content["text"]


def test_resources_read_binary(client):
    (content,) = client.result("resources/read", {"uri": "test://static-binary"})["contents"]
    assert (content["uri"], content["mimeType"]) == ("test://static-binary", "image/png")
    assert decoded(content["blob"]).startswith(PNG)


def test_resources_templates_read(client):
    templates = client.result("resources/templates/list")["resourceTemplates"]
    assert "test://template/{id}/data" in [template["uriTemplate"] for template in templates]
    (content,) = client.result("resources/read", {"uri": "test://template/123/data"})["contents"]
    assert content["uri"] == "test://template/123/data"
    assert json.loads(content["text"])["id"] == "123"


def test_prompts_list(client):
    prompts = client.result("prompts/list")["prompts"]
    assert {"test_simple_prompt", "test_prompt_with_arguments"} <= {one["name"] for one in prompts}
    assert all(one["description"] for one in prompts)


def test_prompts_get_simple(client):
    (message,) = client.result("prompts/get", {"name": "test_simple_prompt"})["messages"]
    assert message == {"role": "user", "content": {"type": "text", "text": "This is a simple prompt for testing."}}


def test_prompts_get_with_args(client):
    result = client.result("prompts/get", {
        "name": "test_prompt_with_arguments", "arguments": {"arg1": "testValue1", "arg2": "testValue2"}})
    text = result["messages"][0]["content"]["text"]
    assert "testValue1" in text
    assert "testValue2" in text


def test_prompts_get_embedded_resource(client):
    result = client.result("prompts/get", {
        "name": "test_prompt_with_embedded_resource", "arguments": {"resourceUri": "test://example-resource"}})
    resources = [one["content"]["resource"] for one in result["messages"] if one["content"]["type"] == "resource"]
    assert [one["uri"] for one in resources] == ["test://example-resource"]


def test_prompts_get_with_image(client):
    result = client.result("prompts/get", {"name": "test_prompt_with_image"})
    (image,) = [one["content"] for one in result["messages"] if one["content"]["type"] == "image"]
    assert image["mimeType"] == "image/png"
    assert decoded(image["data"]).startswith(PNG)


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_dns_rebinding_protection(url: str, revision: str):
    """Host and Origin of a stranger: refused. Those of this machine: served."""
    def probe(host: str):
        headers = [("Host", host), ("Origin", f"http://{host}")]
        if revision == "2025-11-25":
            return initialize(url, extra=headers)
        return ModernClient(url).send("server/discover", extra=headers)

    # The refusal is no message of the protocol, so only its status counts.
    with probe("evil.example.com") as refused:
        assert 400 <= refused.status < 500
    with probe(urlsplit(url).netloc) as served:
        assert served.status == 200
        assert "result" in served.response()


def test_json_schema_2020_12(client):
    """A schema of the full vocabulary arrives with every keyword."""
    tools = {tool["name"]: tool for tool in client.result("tools/list")["tools"]}
    schema = tools["json_schema_2020_12_tool"]["inputSchema"]
    assert schema["$schema"] == DIALECT
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["address"]["$anchor"] == "addressDef"
    assert any("anyOf" in part for part in schema["allOf"])
    assert {"if", "then", "else"} <= schema.keys()
