# SPDX-License-Identifier: Apache-2.0
"""Two named servers of one `serve --config`, in different isolations, and one session with each at the same time."""
import json
from pathlib import Path

import anyio
import pytest
from broker import program
from sdk import connect

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
