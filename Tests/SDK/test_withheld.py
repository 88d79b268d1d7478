# SPDX-License-Identifier: Apache-2.0
"""What `shared` isolation withholds: a request of the server has no client it belongs to, so none is ever asked."""
import pytest
from sdk import Refused, connect

pytestmark = pytest.mark.broker
ISOLATIONS = ["shared"]


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
        ("test_sampling", {"prompt": "x"}, "Client does not support sampling"),
        ("test_elicitation", {"message": "x"}, "Client does not support elicitation"),
        ("test_elicitation_sep1034_defaults", {}, "Client does not support elicitation"),
        ("test_elicitation_sep1330_enums", {}, "Client does not support elicitation"),
        ("test_list_roots", {}, "Client does not support roots"),
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


async def test_tasks_are_not_declared(everything):
    async with connect(everything) as client:
        assert "tasks" not in client.initialized["capabilities"]


async def test_a_list_change_reaches_every_client_once(everything):
    async with connect(everything) as one, connect(everything) as two:
        await one.call("test_trigger_tool_change")
        for client in (one, two):
            await client.notices.wait("notifications/tools/list_changed")
            await client.ping()
            assert len(client.notices.of("notifications/tools/list_changed")) == 1
