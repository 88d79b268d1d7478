# SPDX-License-Identifier: Apache-2.0
"""What isolations `shared` and `pool` withhold: a request of the server has no client it belongs to, so none is ever asked."""
import pytest
from sdk import IS_ONE, Refused, connect

pytestmark = pytest.mark.broker
ISOLATIONS = ["shared", "pool"]


class Asked(AssertionError):
    """A client was asked something that it should never have heard of."""


def never(parameters: dict) -> dict:
    raise Asked(str(parameters))


async def refusal(client, tool: str, arguments: dict | None = None) -> str:
    """How the call was refused, as a tool's error or as a JSON-RPC error."""
    try:
        result = await client.call(tool, arguments)
    except Refused as error:
        return error.message
    assert result.get("isError") is True, result
    return result["content"][0]["text"]


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("test_sampling", {"prompt": "x"}, "the client does not support sampling"),
        ("test_elicitation", {"message": "x"}, "the client does not support elicitation"),
        ("test_elicitation_sep1034_defaults", {}, "the client does not support elicitation"),
        ("test_elicitation_sep1330_enums", {}, "the client does not support elicitation"),
        ("list_roots", {}, "the client does not support roots"),
    ])
async def test_the_server_cannot_ask(everything, tool: str, arguments: dict, text: str):
    async with connect(everything, sampling=never, elicitation=never, roots=never) as client:
        assert await refusal(client, tool, arguments) == text
        # The session is as good as before.
        assert (await client.call("test_simple_text"))["content"][0]["type"] == "text"


async def test_log_messages_go_to_no_client(everything):
    async with connect(everything) as one, connect(everything) as two:
        await one.call("test_tool_with_logging")
        await one.call("test_trigger_tool_change")
        for client in (one, two):
            await client.notices.wait("notifications/tools/list_changed")
            assert client.notices.of("notifications/message") == []


def not_relayed(request: pytest.FixtureRequest) -> str:
    isolation = request.node.callspec.params["everything"].partition("-")[0]
    return f"tasks are not relayed in {isolation} isolation; serve with --isolation client"


@pytest.mark.skipif(not IS_ONE, reason="SDK 2 speaks of no tasks")
async def test_tasks_are_refused(everything, request: pytest.FixtureRequest):
    async with connect(everything) as client:
        for question in (client.tasks(), client.task("task-1"), client.task_result("task-1"), client.cancel_task("task-1")):
            with pytest.raises(Refused) as refused:
                await question
            assert refused.value.code == -32601
            assert refused.value.message == not_relayed(request)


@pytest.mark.skipif(not IS_ONE, reason="SDK 2 speaks of no tasks")
async def test_a_call_cannot_be_made_a_task(everything, request: pytest.FixtureRequest):
    async with connect(everything) as client:
        with pytest.raises(Refused) as refused:
            await client.start_task("slow_task", {"seconds": 0})
        assert refused.value.code == -32601
        assert refused.value.message == not_relayed(request)


async def test_the_server_was_told_of_no_client_capability(everything):
    async with connect(everything, sampling=never, elicitation=never, roots=never) as client:
        seen = (await client.call("subscriptions"))["structuredContent"]
        assert not {"sampling", "elicitation", "roots"} & set(seen["clientCapabilities"])
        assert (seen["initializeRequests"], seen["initializedNotifications"]) == (1, 1)
        assert seen["rootsListChangedNotifications"] == 0


async def test_a_list_change_reaches_every_client_once(everything):
    async with connect(everything) as one, connect(everything) as two:
        await one.call("test_trigger_tool_change")
        for client in (one, two):
            await client.notices.wait("notifications/tools/list_changed")
            await client.ping()
            assert len(client.notices.of("notifications/tools/list_changed")) == 1
