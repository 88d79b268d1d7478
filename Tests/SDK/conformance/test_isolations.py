# SPDX-License-Identifier: Apache-2.0
"""Rounds, tasks and header copies of modern clients where a call may land in another process than the one before."""
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from broker import Broker, program  # noqa: E402
from modern import ModernClient, answers_to, elicited, meta, standard_headers, state_of  # noqa: E402

pytestmark = pytest.mark.broker
ROUNDS = {"name": "test_input_required_result_multi_round", "arguments": {}}
ISOLATIONS = {"call": [], "pool": ["--replicas", "3"]}


@pytest.fixture(scope="module", params=[("call", "legacy"), ("call", "modern"), ("pool", "modern")], ids="-".join)
def place(request: pytest.FixtureRequest, logs: Path):
    isolation, era = request.param
    options = ["--auth", "none", "--isolation", isolation, *ISOLATIONS[isolation], "--era", era]
    with Broker([program("EverythingServer"), "--era", era], *options, log=logs / f"isolations-{isolation}-{era}.log") as broker:
        yield ModernClient(broker.target.url, {"elicitation": {}, "sampling": {}, "roots": {}}), era


def test_every_round_goes_to_the_process_that_asked(place):
    client, _ = place
    result = client.result("tools/call", ROUNDS)
    for _ in range(2):
        assert result["resultType"] == "input_required"
        answers = {key: elicited(name="Alice", color="blue") for key in result["inputRequests"]}
        result = client.result("tools/call", {**ROUNDS, "inputResponses": answers, **state_of(result)})
    assert result["resultType"] == "complete"


def test_a_state_is_of_no_use_for_another_call(place):
    client, _ = place
    asked = client.result("tools/call", ROUNDS)
    other = {"name": "test_input_required_result_request_state", "arguments": {}}
    error = client.error(400, -32602, "tools/call", {**other, "inputResponses": answers_to(asked), **state_of(asked)})
    assert "requestState" in error["message"]


def test_header_copies_are_compared_once_a_list_told_of_them(place):
    client, _ = place
    assert client.result("tools/list")["tools"]
    call = {"name": "test_x_mcp_header", "arguments": {"region": "eu"}}
    # The client of these tests sends the standard headers only.
    client.error(400, -32020, "tools/call", call)


def test_a_task_is_found_again(place):
    client, era = place
    if era == "legacy":
        pytest.skip("a legacy server knows other tasks")
    # mcp-types has no words for this extension, so nothing of it is held against them.
    def ask(method: str, params: dict) -> tuple[int, dict]:
        params = {**params, "_meta": meta({"extensions": {"io.modelcontextprotocol/tasks": {}}})}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {**standard_headers(method, params), "Mcp-Name": params.get("name") or params["taskId"]}
        request = urllib.request.Request(client.url, body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    status, answer = ask("tools/call", {"name": "slow_task", "arguments": {"seconds": 0.1}})
    assert (status, answer["result"]["resultType"]) == (200, "task")
    task = answer["result"]["taskId"]
    status, answer = ask("tasks/get", {"taskId": task})
    assert (status, answer["result"]["taskId"]) == (200, task)
    status, answer = ask("tasks/get", {"taskId": "nobody's"})
    assert (status, answer["error"]["code"]) == (400, -32602)
