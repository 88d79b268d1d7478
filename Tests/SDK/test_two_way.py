# SPDX-License-Identifier: Apache-2.0
"""What a server asks of a client: only isolations `client` and `call` can tell which client that is."""
import anyio
import pytest
from sdk import IS_ONE, Refused, connect

ISOLATIONS = ["client", "call"]


def text_of(result: dict) -> str:
    return "\n".join(block["text"] for block in result["content"] if block["type"] == "text")


def sampled(text: str):
    def answer(parameters: dict) -> dict:
        asked = parameters["messages"][0]["content"]
        # A single block or a list of them: both are in the schema.
        asked = asked[0] if isinstance(asked, list) else asked
        return {"role": "assistant", "content": {"type": "text", "text": f"{text}: {asked['text']}"}, "model": "test-model"}
    return answer


async def test_log_messages_arrive_from_the_level_on(everything):
    async with connect(everything) as client:
        await client.set_level("info")
        await client.call("test_tool_with_logging")
        notices = await client.notices.wait("notifications/message", 3)
        assert [(notice["level"], notice["logger"], notice["data"]) for notice in notices] == [
            ("info", "everything", "Tool execution started"),
            ("info", "everything", "Tool processing data"),
            ("info", "everything", "Tool execution completed")]


@pytest.mark.own_server
async def test_a_higher_level_silences_lower_messages(everything):
    async with connect(everything) as client:
        await client.set_level("error")
        await client.call("test_tool_with_logging")
        await client.call("test_trigger_tool_change")
        await client.notices.wait("notifications/tools/list_changed")
        assert client.notices.of("notifications/message") == []


async def test_sampling_is_answered_by_the_client_that_called(everything):
    async with connect(everything, sampling=sampled("sampled")) as client:
        result = await client.call("test_sampling", {"prompt": "what is it?"})
        assert text_of(result) == "LLM response: sampled: what is it?"


@pytest.mark.broker
async def test_two_clients_each_answer_their_own_sampling(everything):
    async with connect(everything, sampling=sampled("one")) as one, connect(everything, sampling=sampled("two")) as two:
        answers = {}

        async def ask(name: str, client):
            answers[name] = [text_of(await client.call("test_sampling", {"prompt": f"{name} {turn}"})) for turn in range(10)]

        async with anyio.create_task_group() as group:
            group.start_soon(ask, "one", one)
            group.start_soon(ask, "two", two)
        for name, texts in answers.items():
            assert texts == [f"LLM response: {name}: {name} {turn}" for turn in range(10)]


async def test_a_client_that_refuses_sampling_is_heard(everything):
    async with connect(everything, sampling=lambda _: (-1, "the user said no")) as client:
        result = await client.call("test_sampling", {"prompt": "may I?"})
        assert result["isError"] is True
        assert text_of(result) == "the client refused sampling/createMessage: the user said no (-1)"


async def test_a_client_without_sampling_is_told_so(everything):
    async with connect(everything) as client:
        result = await client.call("test_sampling", {"prompt": "anyone?"})
        assert result["isError"] is True
        assert text_of(result) == "the client does not support sampling"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"action": "accept", "content": {"username": "ada", "email": "ada@example.com"}}, "accept"),
        ({"action": "decline"}, "decline"),
        ({"action": "cancel"}, "cancel"),
    ],
    ids=["accept", "decline", "cancel"])
async def test_a_form_is_answered(everything, answer: dict, expected: str):
    asked = []

    def elicit(parameters: dict) -> dict:
        asked.append(parameters)
        return answer

    async with connect(everything, elicitation=elicit) as client:
        result = await client.call("test_elicitation", {"message": "who are you?"})
        assert asked[0]["message"] == "who are you?"
        assert set(asked[0]["requestedSchema"]["properties"]) == {"username", "email"}
        assert f"action={expected}" in text_of(result)
        if expected == "accept":
            assert "ada@example.com" in text_of(result)


async def test_a_form_carries_its_defaults(everything):
    asked = []

    def elicit(parameters: dict) -> dict:
        asked.append(parameters["requestedSchema"]["properties"])
        return {"action": "accept", "content": {name: one["default"] for name, one in asked[0].items()}}

    async with connect(everything, elicitation=elicit) as client:
        result = await client.call("test_elicitation_sep1034_defaults")
        assert {name: one["default"] for name, one in asked[0].items()} == {
            "name": "John Doe", "age": 30, "score": 95.5, "status": "active", "verified": True}
        assert "action=accept" in text_of(result)


async def test_a_form_carries_every_kind_of_choice(everything):
    asked = []

    def elicit(parameters: dict) -> dict:
        asked.append(parameters["requestedSchema"]["properties"])
        return {"action": "decline"}

    async with connect(everything, elicitation=elicit) as client:
        await client.call("test_elicitation_sep1330_enums")
        kinds = asked[0]
        assert kinds["untitledSingle"]["enum"] == ["option1", "option2", "option3"]
        assert kinds["titledSingle"]["oneOf"][0] == {"const": "value1", "title": "First Option"}
        assert kinds["legacyEnum"]["enumNames"] == ["Option One", "Option Two", "Option Three"]
        assert kinds["untitledMulti"]["items"]["enum"] == ["option1", "option2", "option3"]
        assert kinds["titledMulti"]["items"]["anyOf"][0] == {"const": "value1", "title": "First Choice"}


async def test_a_client_without_elicitation_is_told_so(everything):
    async with connect(everything) as client:
        result = await client.call("test_elicitation", {"message": "anyone?"})
        assert result["isError"] is True
        assert text_of(result) == "the client does not support elicitation"


@pytest.mark.own_server
async def test_roots_are_asked_for_and_asked_again_after_a_change(everything):
    roots = [{"uri": "file:///srv/one", "name": "one"}]
    async with connect(everything, roots=lambda _: {"roots": roots}) as client:
        assert "file:///srv/one" in text_of(await client.call("list_roots"))
        roots.append({"uri": "file:///srv/two"})
        await client.roots_changed()
        assert "file:///srv/two" in text_of(await client.call("list_roots"))
        seen = (await client.call("subscriptions"))["structuredContent"]
        assert seen["rootsListChangedNotifications"] == 1


@pytest.mark.own_server
async def test_the_server_sees_this_client_and_what_it_can_do(everything):
    async with connect(everything, roots=lambda _: {"roots": []}) as client:
        seen = (await client.call("subscriptions"))["structuredContent"]
        assert seen["clientInfo"]["name"] == "mcp"
        assert seen["clientCapabilities"]["roots"] == {"listChanged": True}
        assert "sampling" not in seen["clientCapabilities"]
        assert (seen["initializeRequests"], seen["initializedNotifications"]) == (1, 1)


async def test_the_server_can_ping_the_client(everything):
    async with connect(everything) as client:
        assert text_of(await client.call("ping_client")) == "pong"


async def test_a_page_to_visit_is_shown_and_its_end_announced(everything):
    asked = []

    def elicit(parameters: dict) -> dict:
        asked.append(parameters)
        return {"action": "accept"}

    async with connect(everything, elicitation=elicit) as client:
        assert text_of(await client.call("test_elicitation_url")) == "Elicitation by url: action=accept"
        assert (asked[0]["mode"], asked[0]["url"]) == ("url", "https://example.com/authorize")
        done = await client.notices.wait("notifications/elicitation/complete")
        assert done[0]["elicitationId"] == asked[0]["elicitationId"]


async def test_a_page_that_must_be_visited_first_is_an_error_with_its_data(everything):
    async with connect(everything, elicitation=lambda _: {"action": "accept"}) as client:
        with pytest.raises(Refused) as refusal:
            await client.call("test_elicitation_url_required")
        assert refusal.value.code == -32042
        assert refusal.value.data["elicitations"][0]["url"] == "https://example.com/connect"


@pytest.mark.own_server
@pytest.mark.skipif(not IS_ONE, reason="SDK 2 speaks of no tasks")
async def test_a_call_runs_as_a_task(everything):
    async with connect(everything) as client:
        task = await client.start_task("slow_task", {"seconds": 0.2})
        assert task["status"] == "working"
        assert task["taskId"] in [one["taskId"] for one in await client.tasks()]
        # Answers when the task is over.
        result = await client.task_result(task["taskId"])
        assert text_of(result) == "task done"
        assert (await client.task(task["taskId"]))["status"] == "completed"


@pytest.mark.own_server
@pytest.mark.skipif(not IS_ONE, reason="SDK 2 speaks of no tasks")
async def test_a_task_is_cancelled(everything):
    async with connect(everything) as client:
        task = await client.start_task("slow_task", {"seconds": 30})
        await client.cancel_task(task["taskId"])
        assert (await client.task(task["taskId"]))["status"] == "cancelled"


async def test_a_server_request_is_answered_while_other_calls_run(everything):
    async with connect(everything, sampling=sampled("sampled")) as client:
        results: list[str] = []

        async def ask(turn: int):
            results.append(text_of(await client.call("test_sampling", {"prompt": str(turn)})))

        async with anyio.create_task_group() as group:
            for turn in range(10):
                group.start_soon(ask, turn)
                group.start_soon(client.call, "test_simple_text")
        assert sorted(results) == sorted(f"LLM response: sampled: {turn}" for turn in range(10))
