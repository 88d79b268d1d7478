# SPDX-License-Identifier: Apache-2.0
"""States that do not belong to the request they come with, and calls that nobody comes back for.

Before a legacy child Lodge itself holds the call between the rounds; before a modern one the child's own state is kept
inside of what Lodge gives out. A client sees no difference.
"""
import json
import urllib.request

import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from broker import Broker, program  # noqa: E402
from modern import ModernClient, answers_to, elicited, state_of  # noqa: E402

pytestmark = pytest.mark.broker
TOOL = "test_input_required_result_request_state"
OTHER = "test_input_required_result_tampered_state"


def retry(first: dict, tool: str = TOOL, arguments: dict | None = None, state: str | None = None) -> dict:
    answers = {key: elicited(ok=True) for key in first["inputRequests"]}
    return {"name": tool, "arguments": arguments or {}, "inputResponses": answers,
            "requestState": state if state is not None else first["requestState"]}


@pytest.fixture
def modern(url: str) -> ModernClient:
    return ModernClient(url)


@pytest.fixture
def first(modern: ModernClient) -> dict:
    """The first round of a call, which is then ended in the right way."""
    result = modern.call(TOOL)
    yield result
    assert "state-ok" in modern.result("tools/call", retry(result))["content"][0]["text"]


def changed(state: str, at: int) -> str:
    return state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1:]


@pytest.mark.parametrize("tamper", [
    lambda state: changed(state, 0), lambda state: changed(state, len(state) // 2), lambda state: state[:-4],
    lambda state: f"{state}x", lambda _: "", lambda _: "nonsense",
], ids=["first", "middle", "cut", "longer", "empty", "nonsense"])
def test_a_changed_state_is_refused(modern: ModernClient, first: dict, tamper):
    """And the call that it was made for can still be ended: `first` does so."""
    modern.error(400, -32602, "tools/call", retry(first, state=tamper(first["requestState"])))


def test_a_state_of_another_tool_is_refused(modern: ModernClient, first: dict):
    modern.error(400, -32602, "tools/call", retry(first, tool=OTHER))


def test_a_state_of_other_arguments_is_refused(modern: ModernClient, first: dict):
    modern.error(400, -32602, "tools/call", retry(first, arguments={"other": 1}))


def test_a_state_of_another_method_is_refused(modern: ModernClient, first: dict):
    params = {**retry(first), "name": "test_input_required_result_prompt"}
    modern.error(400, -32602, "prompts/get", params)


@pytest.fixture(scope="module")
def legacy_child(logs):
    """A broker of its own: its child is brought down, and what is in flight is counted."""
    options = ["--auth", "none", "--isolation", "client", "--restart-delays", "0.1"]
    with Broker([program("EverythingServer"), "--era", "legacy"], *options, log=logs / "stale-states.log") as broker:
        yield broker.target.url


def in_flight(url: str) -> int:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url.removesuffix("/mcp") + "/status") as answer:
        (server,) = json.load(answer)["servers"]
    return server["callsInFlight"]


def test_a_state_is_good_for_one_retry(legacy_child: str):
    modern = ModernClient(legacy_child)
    first = modern.call(TOOL)
    assert "state-ok" in modern.result("tools/call", retry(first))["content"][0]["text"]
    modern.error(400, -32602, "tools/call", retry(first))
    assert in_flight(legacy_child) == 0


def test_a_client_that_never_comes_back_holds_nobody_up(legacy_child: str):
    """Its call waits for it; others ask and are answered beside it."""
    gone, here = ModernClient(legacy_child), ModernClient(legacy_child)
    assert gone.call(TOOL)["resultType"] == "input_required"
    assert here.call("echo", {"message": "x"})["content"][0]["text"] == "x"
    first = here.call("test_input_required_result_elicitation")
    answered = {"name": "test_input_required_result_elicitation", "arguments": {}, "inputResponses": answers_to(first)}
    assert here.result("tools/call", {**answered, **state_of(first)})["content"][0]["text"] == "Hello, Alice!"


def test_a_child_that_ends_takes_its_waiting_calls_along(legacy_child: str):
    """The last of this file: what the test before left waiting ends here as well."""
    modern = ModernClient(legacy_child)
    first = modern.call(TOOL)
    with modern.send("tools/call", {"name": "exit", "arguments": {"status": 3}}) as exchange:
        assert exchange.response()["error"]["code"] == -32603
    with modern.send("tools/call", retry(first)) as exchange:
        error = exchange.response()["error"]
    # Either the call is remembered as lost, or it is not remembered at all.
    assert error["code"] in (-32603, -32602)
    assert in_flight(legacy_child) == 0
    # The next generation serves the next call.
    assert modern.call("echo", {"message": "x"})["content"][0]["text"] == "x"
