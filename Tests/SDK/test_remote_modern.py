# SPDX-License-Identifier: Apache-2.0
"""`lodge connect` between SDK 2's client, which asks for the modern era first, and servers that the SDKs serve."""
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest
from broker import SCRATCH, program
from sdk import IS_ONE

pytestmark = [pytest.mark.broker, pytest.mark.skipif(IS_ONE, reason="SDK 1 knows no modern era")]
if not IS_ONE:
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.subscriptions import SubscriptionLost


@contextmanager
def served(script: str, path: str, *arguments: str, python: str = sys.executable):
    """A server in a process of its own; answers it and its URL."""
    command = [python, str(Path(__file__).with_name(script)), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield process, f"http://127.0.0.1:{int(process.stdout.readline())}{path}"
        finally:
            process.kill()


@asynccontextmanager
async def connected(url: str, mode: str = "auto"):
    parameters = StdioServerParameters(command=program("lodge"), args=["connect", url], env={"NO_PROXY": "127.0.0.1"})
    with anyio.fail_after(60):
        async with Client(stdio_client(parameters), mode=mode, cache=None) as client:
            yield client


@pytest.fixture
def modern():
    with served("modern_server.py", "/mcp") as (_, url):
        yield url


def text(result) -> str:
    return result.content[0].text


async def test_a_modern_server_is_spoken_to_in_its_era(modern):
    seen = []

    async def step(progress: float, _total: float | None, _message: str | None):
        seen.append(progress)

    async with connected(modern) as client:
        assert client.protocol_version == "2026-07-28"
        # The client speaks stdio and sends no headers; this call finds out that it needs some.
        assert text(await client.call_tool("region", {"region": "Süd ", "count": 42})) == "Süd  42"
        assert "region" in {tool.name for tool in (await client.list_tools()).tools}
        for turn in range(20):
            assert text(await client.call_tool("echo", {"message": f"turn {turn} ü"})) == f"turn {turn} ü"
        assert text(await client.call_tool("steps", {"count": 20}, progress_callback=step)) == "20 steps"
        assert seen == [float(step) for step in range(20)]
        assert (await client.read_resource("test://ü/a b")).contents[0].text == "thing a b"


async def test_a_cancelled_call_ends_at_the_modern_server(modern):
    async with connected(modern) as client:
        started = anyio.Event()

        async def step(_progress: float, _total: float | None, _message: str | None):
            started.set()

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: client.call_tool("wait", {"mark": "one"}, progress_callback=step))
            await started.wait()
            group.cancel_scope.cancel()
        while text(await client.call_tool("marks")) != "one":
            await anyio.lowlevel.checkpoint()


async def test_subscriptions_stand_beside_each_other_and_break_with_the_server():
    with served("modern_server.py", "/mcp") as (process, url):
        async with connected(url) as client:
            async with client.listen(tools_list_changed=True) as first:
                async with client.listen(tools_list_changed=True):
                    pass
                assert text(await client.call_tool("change")) == "changed"
                assert type(await anext(aiter(first))).__name__ == "ToolsListChanged"
                process.kill()
                with pytest.raises(SubscriptionLost):
                    async for _ in first:
                        pass


@pytest.mark.parametrize("transport, path", [("sse", "/sse"), ("streamable-http", "/mcp")])
async def test_a_server_of_the_handshake_is_found_after_the_probe(transport, path):
    # SDK 1 serves nothing but the handshake.
    python = SCRATCH / "venv" / "mcp-1.30.0" / "bin" / "python"
    if not python.exists():
        pytest.skip("SDK 1 is not there; run Scripts/setup-python.sh mcp-1.30.0")
    with served("python_server.py", path, transport, python=str(python)) as (_, url):
        async with connected(url) as client:
            assert client.protocol_version == "2025-11-25"
            assert text(await client.call_tool("echo", {"message": "ü"})) == "ü"
