# SPDX-License-Identifier: Apache-2.0
"""Named servers of one `serve --config`, with one session each at the same time."""
import contextlib
import json
from pathlib import Path

import anyio
import pytest
from broker import program
from sdk import Refused, connect

pytestmark = pytest.mark.broker


async def test_two_named_servers(serve, tmp_path: Path):
    entry = {"type": "stdio", "command": program("EverythingServer")}
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {
        "together": entry, "apart": {**entry, "isolation": "client"}, "broken": {"command": "/nowhere/program"}}}))
    broker = serve([], "--config", str(file))
    assert [one["name"] for one in broker.ready["servers"]] == ["together", "apart", "broken"]
    asked: list[dict] = []

    def answer(parameters: dict) -> dict:
        asked.append(parameters)
        return {"role": "assistant", "content": {"type": "text", "text": "yes"}, "model": "m"}

    async with (
        connect(broker.target_of("together")) as together,
        connect(broker.target_of("apart"), sampling=answer) as apart,
    ):
        pids = [(await client.call("whoami"))["structuredContent"]["pid"] for client in (together, apart)]
        assert pids[0] != pids[1]
        texts: list[str] = []

        async def call(client, turn: int):
            result = await client.call("echo", {"message": str(turn)})
            texts.append(result["content"][0]["text"])

        async with anyio.create_task_group() as group:
            for turn in range(20):
                group.start_soon(call, (together, apart)[turn % 2], turn)
        assert sorted(map(int, texts)) == list(range(20))
        # What one isolation withholds, the other beside it gives.
        await apart.call("test_sampling", {"prompt": "x"})
        assert len(asked) == 1


@pytest.mark.parametrize("sse", [False, True], ids=["http", "sse"])
async def test_nine_servers_lose_nothing_while_the_tenth_crashes(serve, tmp_path: Path, sse: bool):
    calm = [f"calm-{number}" for number in range(9)]
    entry = {"command": program("FixtureServer"), "args": ["echo"]}
    wild = {**entry, "args": ["crashing", "--at", "during-call"]}
    file = tmp_path / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {**{name: entry for name in calm}, "wild": wild}}))
    broker = serve([], "--config", str(file), "--restart-delays", "0.1", sse=sse)
    crashes = 0

    async def crash(client):
        nonlocal crashes
        while crashes < 5:
            with pytest.raises(Refused) as failure:
                await client.call("echo", {"message": "x"})
            crashes += failure.value.data["reason"] == "exited"

    async def work(name: str, client):
        turn = 0
        while crashes < 5 or turn < 20:
            turn += 1
            result = await client.call("echo", {"message": f"{name} {turn}"})
            assert result["content"][0]["text"] == f"{name} {turn}"

    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(broker.target_of(name))) for name in calm]
        breaking = await stack.enter_async_context(connect(broker.target_of("wild")))
        async with anyio.create_task_group() as group:
            group.start_soon(crash, breaking)
            for name, client in zip(calm, clients):
                group.start_soon(work, name, client)
    assert crashes == 5
