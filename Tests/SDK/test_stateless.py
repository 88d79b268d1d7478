# SPDX-License-Identifier: Apache-2.0
"""`serve --stateless` with the official client: it finds no session and asks for none."""
import asyncio

import pytest
from broker import program
from sdk import Refused, connect

pytestmark = pytest.mark.broker


async def test_clients_without_sessions_share_one_server(serve):
    target = serve([program("EverythingServer")], "--stateless").target
    async with connect(target) as one, connect(target) as two:
        assert one.session_id() is None
        # Both number their requests alike.
        texts = [f"{number} of {name}" for number in range(5) for name in ("one", "two")]
        answers = await asyncio.gather(*(
            (one if text.endswith("one") else two).call("echo", {"message": text}) for text in texts))
        assert [answer["content"][0]["text"] for answer in answers] == texts
        steps = []

        async def progress(step: float, _total: float | None, _message: str | None):
            steps.append(step)

        await one.call("test_tool_with_progress", progress=progress)
        assert steps
        with pytest.raises(Refused) as refused:
            await one.subscribe("test://static-text")
        assert (refused.value.code, refused.value.message) == (
            -32601, "'resources/subscribe' needs a session; serve without --stateless")
        assert await two.ping() == {}
