# SPDX-License-Identifier: Apache-2.0
"""One failing call never disturbs its siblings: ten in flight over one client, one of which goes wrong.

SDK 1.30.0 tears its whole client down, with every other call, when one POST is answered with 400, 401, 403, 413 or
503; so a failure inside a session must arrive as a JSON-RPC error with status 200.
"""
import anyio
import pytest
from broker import program
from sdk import Refused, connect

pytestmark = pytest.mark.broker
ISOLATIONS = ["shared", "client"]


@pytest.fixture(params=[*ISOLATIONS, *(f"{one}-sse" for one in ISOLATIONS)])
def isolation(request: pytest.FixtureRequest) -> str:
    return request.param


def everything(serve, isolation: str, *options: str):
    isolation, _, transport = isolation.partition("-")
    return serve([program("EverythingServer")], "--name", "everything", "--isolation", isolation, *options,
                 sse=transport == "sse")


async def ten(client, bad: tuple[str, dict], good: tuple[str, dict]) -> tuple[Refused | dict, list[Refused | dict]]:
    """Nine good calls and, once they are under way, a bad one; answers what became of each."""
    outcomes: list[Refused | dict] = []
    failure: list[Refused | dict] = []
    started = anyio.Event()

    async def call(tool: str, arguments: dict, into: list, progress=None):
        try:
            into.append(await client.call(tool, arguments, progress=progress))
        except Refused as refused:
            into.append(refused)

    async def first_step(_progress: float, _total: float | None, _message: str | None):
        started.set()

    async with anyio.create_task_group() as group:
        for turn in range(9):
            group.start_soon(call, *good, outcomes, first_step if turn == 8 else None)
        await started.wait()
        group.start_soon(call, *bad, failure)
    return failure[0], outcomes


def texts(outcomes: list) -> list[str]:
    return [outcome["content"][0]["text"] if isinstance(outcome, dict) else str(outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("bad", "code", "message"),
    [
        (("no_such_tool", {}), -32602, "unknown tool 'no_such_tool'"),
        (("test_elicitation_url_required", {}), -32042, "a page must be visited first"),
    ],
    ids=["unknown tool", "error with data"])
async def test_an_error_hurts_no_sibling(serve, isolation: str, bad: tuple, code: int, message: str):
    async with connect(everything(serve, isolation).target) as client:
        failure, outcomes = await ten(client, bad, ("slow", {"seconds": 1}))
        assert isinstance(failure, Refused) and (failure.code, failure.message) == (code, message)
        assert texts(outcomes) == ["waited"] * 9
        assert await client.ping() == {}


async def test_a_timeout_hurts_no_sibling(serve, isolation: str):
    broker = everything(serve, isolation, "--call-timeout", "4")
    async with connect(broker.target) as client:
        failure, outcomes = await ten(client, ("slow", {"seconds": 30}), ("slow", {"seconds": 1}))
        assert isinstance(failure, Refused) and failure.code == -32000
        assert failure.message == "server 'everything' did not answer within 4 s without progress"
        assert (failure.data["server"], failure.data["reason"]) == ("everything", "timed-out")
        assert texts(outcomes) == ["waited"] * 9
        assert await client.ping() == {}


async def test_progress_holds_the_timeout_off(serve, isolation: str):
    async def note(_progress: float, _total: float | None, _message: str | None):
        return None

    broker = everything(serve, isolation, "--call-timeout", "2")
    async with connect(broker.target) as client:
        result = await client.call("slow", {"seconds": 5}, progress=note)
        assert texts([result]) == ["waited"]


async def test_a_crash_is_told_to_every_call_at_once(serve, isolation: str):
    broker = everything(serve, isolation, "--restart-delays", "0.1")
    async with connect(broker.target, limit=20) as client:
        failure, outcomes = await ten(client, ("exit", {"status": 3}), ("slow", {"seconds": 30}))
        for outcome in [failure, *outcomes]:
            assert isinstance(outcome, Refused), outcome
            assert outcome.code == -32000
            assert outcome.message == "server 'everything' ended with exit status 3 before it answered"
            assert (outcome.data["server"], outcome.data["exitCode"]) == ("everything", 3)
            assert outcome.data["hint"] == "the call may have taken effect; check before calling again"
        if isolation.startswith("shared"):
            # The session goes on over the next process of the same server.
            assert texts([await client.call("test_simple_text")]) == ["This is a simple text response for testing."]
    async with connect(broker.target, limit=20) as client:
        assert texts([await client.call("test_simple_text")]) == ["This is a simple text response for testing."]


async def test_a_crash_reaches_no_other_client(serve):
    broker = everything(serve, "client")
    async with connect(broker.target) as calm, connect(broker.target) as wild:
        before = (await calm.call("whoami"))["structuredContent"]["pid"]
        assert before != (await wild.call("whoami"))["structuredContent"]["pid"]
        results: list = []

        async def wait():
            results.append(await calm.call("slow", {"seconds": 1}))

        async with anyio.create_task_group() as group:
            for _ in range(9):
                group.start_soon(wait)
            with pytest.raises(Refused):
                await wild.call("exit", {"status": 1})
        assert texts(results) == ["waited"] * 9
        assert (await calm.call("whoami"))["structuredContent"]["pid"] == before
