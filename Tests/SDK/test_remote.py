# SPDX-License-Identifier: Apache-2.0
"""`lodge connect` in front of a server that the official SDK serves over HTTP+SSE or Streamable HTTP (D4)."""
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from broker import program
from sdk import Refused, SDKError, StdioTarget, connect

pytestmark = pytest.mark.broker
PATHS = {"sse": "/sse", "streamable-http": "/mcp"}


@pytest.fixture(params=PATHS)
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@contextmanager
def sdk_server(transport: str, *tls: str):
    """The SDK's server; answers the URL without its scheme."""
    script = Path(__file__).with_name("python_server.py")
    with subprocess.Popen([sys.executable, str(script), transport, *tls], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield f"://127.0.0.1:{int(process.stdout.readline())}{PATHS[transport]}"
        finally:
            process.kill()


def through_connect(url: str, *flags: str) -> StdioTarget:
    return StdioTarget([program("lodge"), "connect", *flags, url], {"NO_PROXY": "127.0.0.1"})


@pytest.fixture
def remote(transport: str):
    """The SDK's server, reached through `lodge connect`."""
    with sdk_server(transport) as place:
        yield through_connect(f"http{place}")


def text(result: dict) -> str:
    return result["content"][0]["text"]


@asynccontextmanager
async def connect_and_tell(target: StdioTarget):
    """Connects, and reports a refused handshake as any refusal."""
    try:
        async with connect(target) as client:
            yield client
    except SDKError as error:
        raise Refused(error.error.code, error.error.message, error.error.data) from error


async def test_tools_of_an_sdk_server(remote):
    async with connect(remote) as client:
        assert client.initialized["serverInfo"]["name"] == "python"
        assert {tool["name"] for tool in await client.list_all("tools")} == {"echo", "steps", "ask", "drop"}
        for turn in range(20):
            assert text(await client.call("echo", {"message": f"turn {turn} ü"})) == f"turn {turn} ü"


async def test_progress_of_an_sdk_server_in_order(remote):
    seen = []

    async def step(progress: float, _total: float | None, _message: str | None):
        seen.append(progress)

    async with connect(remote) as client:
        assert text(await client.call("steps", {"count": 20}, progress=step)) == "20 steps"
        assert seen == [float(step) for step in range(20)]


async def test_sampling_of_an_sdk_server(remote):
    def answer(parameters: dict) -> dict:
        content = parameters["messages"][0]["content"]
        content = content[0] if isinstance(content, list) else content
        return {"role": "assistant", "model": "m", "content": {"type": "text", "text": f"heard {content['text']}"}}

    async with connect(remote, sampling=answer) as client:
        assert text(await client.call("ask", {"prompt": "me"})) == "heard me"


@pytest.mark.parametrize("transport", ["streamable-http"])
async def test_a_stream_that_the_sdk_server_breaks_is_resumed(remote):
    seen = []

    async def step(progress: float, _total: float | None, _message: str | None):
        seen.append(progress)

    async with connect(remote) as client:
        assert text(await client.call("drop", progress=step)) == "whole"
        assert seen == [1.0, 2.0]


async def test_a_certificate_is_verified_unless_told_otherwise(tmp_path: Path):
    certificate, key = str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=lodge test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    with sdk_server("streamable-http", certificate, key) as place:
        with pytest.raises(Refused) as refusal:
            async with connect_and_tell(through_connect(f"https{place}")):
                pass
        assert "cannot be reached: the TLS handshake failed" in str(refusal.value)
        assert refusal.value.data["reason"] == "unreachable"
        for flags in (["--ca-file", certificate], ["--no-verify-tls"]):
            async with connect(through_connect(f"https{place}", *flags)) as client:
                assert text(await client.call("echo", {"message": "private"})) == "private"
