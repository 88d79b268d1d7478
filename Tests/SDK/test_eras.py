# SPDX-License-Identifier: Apache-2.0
"""Every client speaks with every server: the official SDKs as they are by themselves, before a child of either era.

SDK 1 is the legacy client here and SDK 2 the modern one. With LODGE_SDK_DIRECT=1 they meet the bare server, where
a legacy client finds no modern one.
"""
import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from broker import DIRECT, Broker, connected, direct, program
from eras import NEWEST, connect_newest
from sdk import IS_ONE, Refused, Target

ERAS = ["legacy", "modern"]
OPTIONS = {"legacy": [], "modern": ["--era", "modern"]}
ROOTS = [{"uri": "file:///srv/one", "name": "one"}]


@dataclass
class Served:
    """A server, the era of its child, and what stands between them."""

    target: Target
    child: str
    isolation: str

    @property
    def withholds(self) -> bool:
        """Whether the child cannot ask: it was told of no client, and nothing of a request tells it more."""
        return self.isolation == "shared" and self.child == "legacy"


def served_kinds() -> list[str]:
    if DIRECT:
        return [f"direct-{era}" for era in ERAS]
    return [f"{isolation}-{era}" for isolation in ("client", "shared", "connect") for era in ERAS]


@pytest.fixture(scope="module", params=served_kinds())
def served(request: pytest.FixtureRequest, logs: Path):
    isolation, child = request.param.split("-")
    # The child speaks one era alone, so that nothing but Lodge can bring the other one.
    command = [program("EverythingServer"), "--era", child]
    if DIRECT:
        if IS_ONE and child == "modern":
            pytest.skip("a legacy client finds no modern server without Lodge")
        yield Served(direct(command), child, isolation)
        return
    options = ["--isolation", "shared" if isolation == "shared" else "client", *OPTIONS[child]]
    with Broker(command, *options, log=logs / f"eras-{request.param}.log") as broker:
        yield Served(connected(broker) if isolation == "connect" else broker.target, child, isolation)


def text_of(result: dict) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def sampled(parameters: dict) -> dict:
    asked = parameters["messages"][0]["content"]
    asked = asked[0] if isinstance(asked, list) else asked
    return {"role": "assistant", "content": {"type": "text", "text": f"sampled: {asked['text']}"}, "model": "m"}


def filled(parameters: dict) -> dict:
    """Fills every field of a form with its own name."""
    fields = parameters["requestedSchema"]["properties"]
    return {"action": "accept", "content": {
        name: True if one["type"] == "boolean" else name for name, one in fields.items()}}


EVERYTHING = {"sampling": sampled, "elicitation": filled, "roots": lambda _: {"roots": ROOTS}}


async def test_the_newest_era_of_the_client_is_negotiated(served):
    async with connect_newest(served.target) as client:
        assert client.version == ("2025-11-25" if DIRECT and served.child == "legacy" else NEWEST)
        seen = (await client.call("subscriptions"))["structuredContent"]
        # What the child was asked is of its own era.
        if not DIRECT:
            assert seen["initializeRequests"] == (1 if served.child == "legacy" else 0)
            assert seen["protocolVersion"] == ("2025-11-25" if served.child == "legacy" else "2026-07-28")


async def test_everything_is_listed(served):
    async with connect_newest(served.target) as client:
        assert {"echo", "test_simple_text"} <= {one["name"] for one in await client.list_all("tools")}
        assert "test://static-text" in [one["uri"] for one in await client.list_all("resources")]
        assert "test://template/{id}/data" in [one["uriTemplate"] for one in await client.list_all("resource_templates")]
        assert "test_simple_prompt" in [one["name"] for one in await client.list_all("prompts")]


async def test_everything_is_called_read_and_got(served):
    text = "ü ∮ 𝄞 \u0000 \\ \" \n\t"
    async with connect_newest(served.target) as client:
        assert text_of(await client.call("echo", {"message": text})) == text
        assert (await client.call("add", {"a": 2, "b": 0.5}))["structuredContent"] == {"sum": 2.5}
        assert (await client.call("test_error_handling"))["isError"] is True
        assert (await client.read("test://static-text"))["contents"][0]["mimeType"] == "text/plain"
        prompt = await client.prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        assert "arg2='b'" in prompt["messages"][0]["content"]["text"]
        completion = await client.complete({"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "arg1", "par")
        assert completion["values"] == ["paris", "park", "party"]


@pytest.mark.broker
async def test_a_resource_that_there_is_not_is_refused_in_the_words_of_the_client(served):
    async with connect_newest(served.target) as client:
        with pytest.raises(Refused) as refusal:
            await client.read("test://nothing")
        assert refusal.value.code == (-32002 if IS_ONE else -32602)
        assert refusal.value.data["uri"] == "test://nothing"


@pytest.mark.parametrize(("tool", "arguments", "expected", "capability"), [
    ("test_sampling", {"prompt": "why?"}, "LLM response: sampled: why?", "sampling"),
    ("test_elicitation", {"message": "who?"}, 'action=accept, content={"username":"username","email":"email"}', "elicitation"),
    ("list_roots", {}, "file:///srv/one", "roots"),
    ("test_input_required_result_multi_round", {}, "name likes color", "elicitation"),
    ("test_input_required_result_request_state", {}, "state-ok: true", "elicitation"),
    ("test_input_required_result_multiple_inputs", {}, "name; sampled: Generate a greeting; Roots: file:///srv/one", None),
], ids=["sampling", "elicitation", "roots", "two_rounds", "state", "three_at_once"])
async def test_the_server_asks(served, tool: str, arguments: dict, expected: str, capability: str | None):
    async with connect_newest(served.target, **EVERYTHING) as client:
        if not served.withholds:
            assert expected in text_of(await client.call(tool, arguments))
            return
        try:
            result = await client.call(tool, arguments)
        except Refused as refusal:
            assert "does not support" in refusal.message or "isolation" in refusal.message
        else:
            assert result["isError"] is True
            if capability:
                assert f"the client does not support {capability}" in text_of(result)
        # The next call is as good as before.
        assert text_of(await client.call("echo", {"message": "again"})) == "again"


async def test_a_prompt_asks(served):
    async with connect_newest(served.target, **EVERYTHING) as client:
        if served.withholds:
            with pytest.raises(Refused):
                await client.prompt("test_input_required_result_prompt")
        else:
            assert "context" in str((await client.prompt("test_input_required_result_prompt"))["messages"])


async def test_a_user_declines(served):
    if served.withholds:
        pytest.skip("nobody is asked; test_the_server_asks shows it")
    async with connect_newest(served.target, elicitation=lambda _: {"action": "decline"}) as client:
        assert "action=decline" in text_of(await client.call("test_elicitation", {"message": "who?"}))


async def test_progress_arrives_in_order(served):
    steps = []

    async def progress(step: float, total: float | None, _message: str | None):
        steps.append((step, total))

    async with connect_newest(served.target) as client:
        await client.call("test_tool_with_progress", progress=progress)
        assert steps == [(0, 100), (50, 100), (100, 100)]


async def test_log_messages_are_for_the_one_that_asked(served):
    async with connect_newest(served.target) as client:
        if served.isolation == "shared":
            # No message says whose it is, so none is given to anybody.
            try:
                await client.log_from("info", "test_tool_with_logging")
            except Refused as refusal:
                assert refusal.code == -32601
            assert client.notices.of("notifications/message") == []
            return
        await client.log_from("info", "test_tool_with_logging")
        notices = await client.notices.wait("notifications/message", 3)
        assert [notice["data"] for notice in notices] == [
            "Tool execution started", "Tool processing data", "Tool execution completed"]
        await client.log_from("error", "test_tool_with_logging")
        assert len(client.notices.of("notifications/message")) == 3


async def test_a_cancelled_call_is_cancelled_in_the_server(served):
    async with connect_newest(served.target) as client:
        async def cancelled() -> int:
            return (await client.call("subscriptions"))["structuredContent"]["cancelledNotifications"]

        before, started = await cancelled(), anyio.Event()

        async def progress(*_):
            started.set()

        await client.call_and_cancel("slow", {"seconds": 5}, started.wait(), progress, "enough")
        # The way there is not the way of the next call, so it may be asked more than once.
        with anyio.fail_after(15):
            while await cancelled() == before:
                await anyio.lowlevel.checkpoint()
        assert await cancelled() == before + 1


async def test_a_change_of_a_list_arrives(served):
    async with connect_newest(served.target) as client, client.watching() as following:
        await client.call("test_trigger_tool_change")
        assert await following() == "notifications/tools/list_changed"
        await client.call("test_trigger_tool_change")
        assert await following() == "notifications/tools/list_changed"


async def test_a_watched_resource_is_told_of_and_others_are_not(served):
    watched = "test://watched-resource"
    async with connect_newest(served.target) as client:
        async with client.watching(watched) as following:
            await client.call("notify_resource_updated", {"uri": "test://static-text"})
            await client.call("notify_resource_updated", {"uri": watched})
            assert await following() == "notifications/resources/updated"
        # Nobody watches any more, so the server is not asked to tell. Leaving may take longer than the next call.
        with anyio.fail_after(15):
            while text_of(await client.call("notify_resource_updated", {"uri": watched})) != "not subscribed":
                await anyio.lowlevel.checkpoint()


@pytest.mark.broker
@pytest.mark.parametrize("child", ERAS)
async def test_what_is_not_allowed_is_neither_listed_nor_called(serve, tmp_path: Path, child: str):
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"one": {
        "command": program("EverythingServer"), "args": ["--era", child], "isolation": "client",
        **({"era": "modern"} if child == "modern" else {}), "tools": {"allow": ["echo", "test_simple_*"]}}}}))
    broker = serve([], "--config", str(file))
    async with connect_newest(broker.target) as client:
        assert client.version == NEWEST
        assert sorted(tool["name"] for tool in await client.list_all("tools")) == ["echo", "test_simple_text"]
        assert text_of(await client.call("echo", {"message": "x"})) == "x"
        for name in ("add", "no_such_tool"):
            with pytest.raises(Refused) as refusal:
                await client.call(name, {"a": 1, "b": 2})
            # A tool that is withheld looks like one that there is not.
            assert refusal.value.code == -32602
            assert name in refusal.value.message


@pytest.mark.broker
async def test_status_shows_the_child_as_it_is(serve):
    broker = serve([program("EverythingServer"), "--era", "modern"], "--era", "modern")
    request = urllib.request.Request(
        broker.target.url.removesuffix("/mcp") + "/status", headers={"Authorization": f"Bearer {broker.token}"})
    async with connect_newest(broker.target) as client:
        await client.call("echo", {"message": "x"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        (server,) = json.load(answer)["servers"]
    assert server["protocolVersion"] == "2026-07-28"
    assert server["callsInFlight"] == 0
