# SPDX-License-Identifier: Apache-2.0
"""The fixture server in the modern era as the official client sees it, over stdio with nothing in between.

It proves the fixture that other tests stand on, and nothing about Lodge.
"""
import json
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from broker import program
from sdk import _only, IS_ONE, LIMIT_SECONDS, StdioServerParameters, types, wire

if IS_ONE:
    pytest.skip("SDK 1 knows the handshake only", allow_module_level=True)

from mcp.client.client import Client
from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged
from mcp.shared.exceptions import MCPError

MODERN = "2026-07-28"


@asynccontextmanager
async def modern(*options: str, mode: str = "auto", environment: dict[str, str] | None = None, **handlers):
    command = StdioServerParameters(command=program("EverythingServer"), args=[*options], env=environment)
    try:
        with anyio.fail_after(LIMIT_SECONDS):
            async with Client(command, mode=mode, **handlers) as client:
                yield client
    except BaseExceptionGroup as group:
        raise _only(group) from None


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content)


async def sampled(_context, parameters):
    asked = parameters.messages[0].content.text
    return types.CreateMessageResult(role="assistant", content=types.TextContent(type="text", text=f"sampled: {asked}"), model="m")


async def filled(_context, parameters):
    """Fills every field of a form with its default or with its own name."""
    if not isinstance(parameters, types.ElicitRequestFormParams):
        return types.ElicitResult(action="accept")
    fields = parameters.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={
        name: True if field.get("type") == "boolean" else field.get("default", name) for name, field in fields.items()})


async def rooted(_context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///r", name="r")])


ALL = {"sampling_callback": sampled, "elicitation_callback": filled, "list_roots_callback": rooted}


async def test_a_probe_finds_the_modern_era():
    async with modern() as client:
        assert client.protocol_version == MODERN
        assert client.server_info.name == "everything"
        assert client.instructions.startswith("Call 'echo' first.")
        counts = (await client.call_tool("subscriptions")).structured_content["counts"]
        assert counts["server/discover"] == 1
        assert "initialize" not in counts


async def test_a_probe_of_a_legacy_server_falls_back():
    async with modern("--era", "legacy") as client:
        assert client.protocol_version == "2025-11-25"
        counts = (await client.call_tool("subscriptions")).structured_content["counts"]
        assert (counts["server/discover"], counts["initialize"]) == (1, 1)


async def test_a_modern_server_refuses_a_legacy_client():
    with pytest.raises(MCPError) as refusal:
        async with modern("--era", "modern", mode="legacy"):
            pass
    assert refusal.value.error.code == -32022
    assert refusal.value.error.data["supported"] == [MODERN]


async def test_lists_come_page_by_page():
    async with modern(environment={"EVERYTHING_PAGE_SIZE": "10"}) as client:
        names, cursor = [], None
        while True:
            page = await client.list_tools(cursor=cursor)
            assert len(page.tools) <= 10
            names += [tool.name for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert {"echo", "test_x_mcp_header", "test_input_required_result_multi_round"} <= set(names)
        assert len((await client.list_resources()).resources) == 3
        assert len((await client.list_resource_templates()).resource_templates) == 1
        assert "test_input_required_result_prompt" in [one.name for one in (await client.list_prompts()).prompts]


async def test_a_list_that_may_be_kept_is_asked_for_once():
    async with modern("--ttl", "600000", "--cache-scope", "public") as client:
        for _ in range(3):
            await client.list_tools()
        counts = (await client.call_tool("subscriptions")).structured_content["counts"]
        assert counts["tools/list"] == 1


async def test_contents_are_whole():
    async with modern() as client:
        assert text_of(await client.call_tool("echo", {"message": "hello"})) == "hello"
        assert (await client.call_tool("add", {"a": 1, "b": 2})).structured_content == {"sum": 3}
        kinds = [block.type for block in (await client.call_tool("test_multiple_content_types")).content]
        assert kinds == ["text", "image", "resource"]
        assert (await client.call_tool("test_error_handling")).is_error
        assert (await client.read_resource("test://static-text")).contents[0].text.startswith("This is the content")
        assert json.loads((await client.read_resource("test://template/7/data")).contents[0].text)["id"] == "7"
        prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        assert prompt.messages[0].content.text == "Prompt with arguments: arg1='a', arg2='b'"
        completion = await client.complete(
            types.PromptReference(type="ref/prompt", name="test_prompt_with_arguments"), {"name": "arg1", "value": "par"})
        assert completion.completion.values == ["paris", "park", "party"]


async def test_a_resource_that_there_is_not_is_refused():
    async with modern() as client:
        with pytest.raises(MCPError) as refusal:
            await client.read_resource("test://nothing")
        assert (refusal.value.error.code, refusal.value.error.data) == (-32602, {"uri": "test://nothing"})


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("test_sampling", {"prompt": "why?"}, "LLM response: sampled: why?"),
        ("test_missing_capability", {}, "LLM response: sampled: Say hello"),
        ("test_elicitation", {"message": "who?"}, 'action=accept, content={"username":"username","email":"email"}'),
        ("test_elicitation_sep1034_defaults", {}, '"name":"John Doe","age":30'),
        ("test_elicitation_url", {}, "Elicitation by url: action=accept"),
        ("test_elicitation_url_required", {}, "Required elicitation by url: action=accept"),
        ("test_streaming_elicitation", {}, "User response: action=accept"),
        ("list_roots", {}, "file:///r"),
        ("test_input_required_result_elicitation", {}, "Hello, name!"),
        ("test_input_required_result_sampling", {}, "sampled: What is the capital of France?"),
        ("test_input_required_result_list_roots", {}, "Roots: file:///r"),
        ("test_input_required_result_request_state", {}, "state-ok: true"),
        ("test_input_required_result_tampered_state", {}, "state-ok: true"),
        ("test_input_required_result_multiple_inputs", {}, "name; sampled: Generate a greeting; Roots: file:///r"),
        ("test_input_required_result_multi_round", {}, "name likes color"),
        ("test_input_required_result_capabilities", {}, "Answered: ask, sample"),
    ])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_tool_that_asks_is_answered_in_both_eras(tool: str, arguments: dict, expected: str, mode: str):
    if tool == "test_elicitation_url_required" and mode == "legacy":
        expected = None
    async with modern(mode=mode, **ALL) as client:
        if expected is None:
            with pytest.raises(MCPError) as refusal:
                await client.call_tool(tool, arguments)
            assert refusal.value.error.code == -32042
            return
        result = await client.call_tool(tool, arguments)
        assert not result.is_error
        assert expected in text_of(result)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_prompt_that_asks_is_answered_in_both_eras(mode: str):
    async with modern(mode=mode, **ALL) as client:
        prompt = await client.get_prompt("test_input_required_result_prompt")
        assert prompt.messages[0].content.text == "Use this context: context"


async def test_a_client_that_cannot_be_asked_is_refused():
    async with modern() as client:
        with pytest.raises(MCPError) as refusal:
            await client.call_tool("test_missing_capability")
        assert refusal.value.error.code == -32021
        assert refusal.value.error.data == {"requiredCapabilities": {"sampling": {}}}


async def test_log_messages_come_for_a_request_that_wants_them():
    seen = []

    async def logged(parameters):
        seen.append(wire(parameters))

    async with modern(logging_callback=logged, log_level="alert") as client:
        await client.call_tool("test_logging_tool")
    assert [one["level"] for one in seen] == ["alert", "emergency"]


async def test_progress_is_reported():
    seen = []

    async def progressed(progress, total, message):
        seen.append((progress, total))

    async with modern() as client:
        await client.call_tool("test_tool_with_progress", progress_callback=progressed)
    assert seen == [(0, 100), (50, 100), (100, 100)]


async def test_a_listen_hears_what_it_asked_for():
    async with modern() as client:
        async with client.listen(tools_list_changed=True, resource_subscriptions=["test://watched-resource"]) as events:
            assert events.honored.tools_list_changed
            await client.call_tool("test_trigger_prompt_change")
            await client.call_tool("test_trigger_tool_change")
            await client.call_tool("notify_resource_updated", {"uri": "test://watched-resource"})
            heard = [await anext(events), await anext(events)]
            assert heard == [ToolsListChanged(), ResourceUpdated(uri="test://watched-resource")]
            assert "test_dynamic_tool" in [tool.name for tool in (await client.list_tools()).tools]
        # The SDK sends the cancellation beside what follows; `modern` sets the limit of the wait.
        while "notifications/cancelled" not in (await client.call_tool("subscriptions")).structured_content["counts"]:
            await anyio.lowlevel.checkpoint()


async def test_a_listen_that_the_server_ends_is_over():
    async with modern() as client:
        async with client.listen(tools_list_changed=True) as events:
            assert text_of(await client.call_tool("end_subscriptions")) == "ended 1"
            assert [event async for event in events] == []
