# SPDX-License-Identifier: Apache-2.0
"""What a client asks of a server: the same through `shared` and through `client` isolation."""
import base64

import anyio
import pytest
from sdk import IS_ONE, Refused, connect

ISOLATIONS = ["shared", "client", "pool"]

# A PNG starts with these bytes, a WAVE file with those.
PNG, WAVE = b"\x89PNG\r\n\x1a\n", b"RIFF"


def only(result: dict, member: str = "content") -> dict:
    assert len(result[member]) == 1, result
    return result[member][0]


async def test_initialize_names_the_server_and_what_it_can_do(everything):
    async with connect(everything) as client:
        assert client.initialized["protocolVersion"] == "2025-11-25"
        assert client.initialized["serverInfo"]["title"] == "Everything Server"
        assert client.initialized["instructions"].startswith("Call 'echo' first.")
        assert {"tools", "resources", "prompts", "completions"} <= set(client.initialized["capabilities"])
        assert client.initialized["capabilities"]["experimental"] == {"everything/fixture": {"kept": True}}
        assert client.initialized["capabilities"]["resources"]["subscribe"] is True


async def test_tools_are_listed_page_by_page(everything):
    async with connect(everything) as client:
        first = await client.list("tools")
        assert first.get("nextCursor"), "the fixture lists its tools in pages"
        second = await client.list("tools", first["nextCursor"])
        names = {tool["name"] for tool in first["tools"]}
        assert not names & {tool["name"] for tool in second["tools"]}
        everything_listed = [tool["name"] for tool in await client.list_all("tools")]
        assert len(everything_listed) == len(set(everything_listed))
        assert {"test_simple_text", "test_error_handling", "test_tool_with_progress"} <= set(everything_listed)


async def test_a_wrong_cursor_is_refused_as_the_server_refuses_it(everything):
    async with connect(everything) as client:
        with pytest.raises(Refused) as refusal:
            await client.list("tools", "no-such-cursor")
        assert refusal.value.code == -32602
        assert refusal.value.message == "unknown cursor 'no-such-cursor'"


async def test_a_schema_arrives_as_it_was_written(everything):
    async with connect(everything) as client:
        tools = {tool["name"]: tool for tool in await client.list_all("tools")}
        schema = tools["json_schema_2020_12_tool"]["inputSchema"]
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert "$defs" in schema
        assert schema["additionalProperties"] is False


async def test_what_a_server_says_about_its_things_survives(everything):
    async with connect(everything) as client:
        echo = next(tool for tool in await client.list_all("tools") if tool["name"] == "echo")
        assert echo["_meta"] == {"everything/fixture": "echo"}
        assert echo["annotations"] == {
            "title": "Echo", "readOnlyHint": True, "idempotentHint": True, "openWorldHint": False}
        assert echo["icons"][0]["sizes"] == ["1x1"]
        watched = next(one for one in await client.list_all("resources") if one["uri"] == "test://watched-resource")
        assert watched["_meta"] == {"everything/fixture": "watched"}


async def test_arguments_arrive_as_they_were_written(everything):
    text = "ü ∮ 𝄞 \u0000 \\ \" \n\t </script>"
    async with connect(everything) as client:
        assert only(await client.call("echo", {"message": text}))["text"] == text


async def test_structured_content_passes_the_schema_that_was_listed(everything):
    async with connect(everything) as client:
        await client.list_all("tools")
        result = await client.call("add", {"a": 2, "b": 0.5})
        assert result["structuredContent"] == {"sum": 2.5}


async def test_a_link_to_a_resource(everything):
    async with connect(everything) as client:
        block = only(await client.call("resource_link"))
        assert (block["type"], block["uri"]) == ("resource_link", "test://static-text")


async def test_simple_text(everything):
    async with connect(everything) as client:
        block = only(await client.call("test_simple_text"))
        assert block == {"type": "text", "text": "This is a simple text response for testing."}


async def test_image(everything):
    async with connect(everything) as client:
        block = only(await client.call("test_image_content"))
        assert (block["type"], block["mimeType"]) == ("image", "image/png")
        assert base64.b64decode(block["data"], validate=True).startswith(PNG)


async def test_audio(everything):
    async with connect(everything) as client:
        block = only(await client.call("test_audio_content"))
        assert (block["type"], block["mimeType"]) == ("audio", "audio/wav")
        assert base64.b64decode(block["data"], validate=True).startswith(WAVE)


async def test_embedded_resource(everything):
    async with connect(everything) as client:
        block = only(await client.call("test_embedded_resource"))
        assert block["type"] == "resource"
        assert block["resource"]["uri"] == "test://embedded-resource"
        assert block["resource"]["text"]


async def test_several_blocks_keep_their_order(everything):
    async with connect(everything) as client:
        result = await client.call("test_multiple_content_types")
        assert [block["type"] for block in result["content"]] == ["text", "image", "resource"]


async def test_a_tool_error_is_a_result(everything):
    async with connect(everything) as client:
        result = await client.call("test_error_handling")
        assert result["isError"] is True
        assert only(result)["text"] == "This tool intentionally returns an error for testing"


async def test_an_unknown_tool_is_refused_as_the_server_refuses_it(everything):
    async with connect(everything) as client:
        with pytest.raises(Refused) as refusal:
            await client.call("no_such_tool")
        assert refusal.value.code == -32602
        assert refusal.value.message == "unknown tool 'no_such_tool'"


async def test_progress_reaches_the_call_it_belongs_to(everything):
    steps: dict[int, list[tuple[float, float | None]]] = {0: [], 1: []}

    async with connect(everything) as client:
        async def call(which: int):
            async def note(progress: float, total: float | None, _message: str | None):
                steps[which].append((progress, total))
            await client.call("test_tool_with_progress", progress=note)

        async with anyio.create_task_group() as group:
            group.start_soon(call, 0)
            group.start_soon(call, 1)
        await client.notices.wait("notifications/progress", 6)
    assert steps[0] == steps[1] == [(0, 100), (50, 100), (100, 100)]


async def test_a_call_without_a_progress_token_gets_no_progress(everything):
    async with connect(everything) as client:
        await client.call("test_tool_with_progress")
        await client.ping()
        assert client.notices.of("notifications/progress") == []


async def test_resources_are_listed_and_read(everything):
    async with connect(everything) as client:
        uris = {entry["uri"] for entry in await client.list_all("resources")}
        assert {"test://static-text", "test://static-binary", "test://watched-resource"} <= uris
        text = only(await client.read("test://static-text"), "contents")
        assert text["text"] == "This is the content of the static text resource."
        blob = only(await client.read("test://static-binary"), "contents")
        assert base64.b64decode(blob["blob"], validate=True).startswith(PNG)


async def test_a_template_is_listed_and_filled_in(everything):
    async with connect(everything) as client:
        templates = {entry["uriTemplate"] for entry in await client.list_all("resource_templates")}
        assert "test://template/{id}/data" in templates
        content = only(await client.read("test://template/1%2F2/data"), "contents")
        assert content["uri"] == "test://template/1%2F2/data"


async def test_an_unknown_resource_is_refused_as_the_server_refuses_it(everything):
    async with connect(everything) as client:
        with pytest.raises(Refused) as refusal:
            await client.read("test://no-such-resource")
        assert refusal.value.code == -32002
        assert refusal.value.data["uri"] == "test://no-such-resource"


async def test_a_subscriber_hears_of_an_update_until_it_leaves(everything):
    async with connect(everything) as client:
        await client.subscribe("test://watched-resource")
        await client.call("notify_resource_updated", {"uri": "test://watched-resource"})
        notices = await client.notices.wait("notifications/resources/updated")
        assert notices[0]["uri"] == "test://watched-resource"
        await client.unsubscribe("test://watched-resource")
        await client.call("notify_resource_updated", {"uri": "test://watched-resource"})
        # The list change is sent after the update that must not come, on the same road.
        await client.call("test_trigger_tool_change")
        await client.notices.wait("notifications/tools/list_changed")
        assert len(client.notices.of("notifications/resources/updated")) == 1


@pytest.mark.broker
async def test_an_update_reaches_no_client_that_did_not_subscribe(everything):
    async with connect(everything) as subscriber, connect(everything) as stranger:
        await subscriber.subscribe("test://watched-resource")
        await subscriber.call("notify_resource_updated", {"uri": "test://watched-resource"})
        await subscriber.notices.wait("notifications/resources/updated")
        await stranger.ping()
        assert stranger.notices.of("notifications/resources/updated") == []


@pytest.mark.parametrize("kind", ["tool", "prompt", "resource"])
async def test_list_changes_are_announced(everything, kind: str):
    async with connect(everything) as client:
        await client.call(f"test_trigger_{kind}_change")
        await client.notices.wait(f"notifications/{kind}s/list_changed")


async def test_prompts_are_listed_and_got(everything):
    async with connect(everything) as client:
        prompts = {entry["name"]: entry for entry in await client.list_all("prompts")}
        assert {"test_simple_prompt", "test_prompt_with_arguments"} <= set(prompts)
        assert [one["name"] for one in prompts["test_prompt_with_arguments"]["arguments"]] == ["arg1", "arg2"]
        message = only(await client.prompt("test_simple_prompt"), "messages")
        assert message["content"]["text"] == "This is a simple prompt for testing."
        message = only(await client.prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "ü \"q\""}), "messages")
        assert message["content"]["text"] == "Prompt with arguments: arg1='a', arg2='ü \"q\"'"


async def test_prompts_carry_resources_and_images(everything):
    async with connect(everything) as client:
        result = await client.prompt("test_prompt_with_embedded_resource", {"resourceUri": "test://example-resource"})
        blocks = [message["content"] for message in result["messages"]]
        assert [block["resource"]["uri"] for block in blocks if block["type"] == "resource"] == ["test://example-resource"]
        result = await client.prompt("test_prompt_with_image")
        assert "image" in [message["content"]["type"] for message in result["messages"]]


async def test_arguments_are_completed(everything):
    async with connect(everything) as client:
        reference = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
        assert (await client.complete(reference, "arg1", "par"))["values"] == ["paris", "park", "party"]
        dependent = await client.complete(reference, "arg2", "", {"arg1": "paris"})
        assert dependent["values"] == ["paris-east", "paris-west"]
        template = {"type": "ref/resource", "uri": "test://template/{id}/data"}
        assert (await client.complete(template, "id", "12"))["values"] == ["12", "123"]


async def test_ping(everything):
    async with connect(everything) as client:
        assert await client.ping() == {}


async def test_a_cancelled_call_is_cancelled_at_the_server(everything):
    async with connect(everything) as client:
        begun = anyio.Event()

        async def note(_progress: float, _total: float | None, _message: str | None):
            begun.set()

        async def cancellations() -> int:
            return (await client.call("subscriptions"))["structuredContent"]["cancelledNotifications"]

        before = await cancellations()
        await client.call_and_cancel("slow", {"seconds": 5}, begun.wait(), note, "no longer wanted")
        with anyio.fail_after(10):
            while await cancellations() == before:
                pass
        assert await cancellations() == before + 1


async def test_a_cancelled_call_hurts_no_other(everything):
    async with connect(everything) as client:
        begun, results = anyio.Event(), []

        async def note(_progress: float, _total: float | None, _message: str | None):
            begun.set()

        async def sibling():
            results.append(await client.call("slow", {"seconds": 2}))

        async with anyio.create_task_group() as group:
            await client.call_and_cancel("slow", {"seconds": 5}, begun.wait(), note, "no longer wanted", group, sibling)
        assert [only(result)["text"] for result in results] == ["waited"] * 3


async def test_a_large_result_arrives_whole(everything):
    if not IS_ONE and getattr(everything, "sse", False):
        pytest.skip("SDK 2 takes no event of more than 1 MiB over this transport")
    async with connect(everything) as client:
        result = await client.call("big", {"bytes": 3_000_000})
        assert len(only(result)["text"]) == 3_000_000
