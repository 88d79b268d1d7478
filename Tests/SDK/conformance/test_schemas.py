# SPDX-License-Identifier: Apache-2.0
"""The check of every message catches what it is there for; else the other tests here would prove less than they say."""
import pytest

pytest.importorskip("mcp_types", reason="mcp-types, which says what a message may be, comes with SDK 2")
from schemas import MODERN, Violation, check_from_client, check_from_server  # noqa: E402

OLD = "2025-11-25"
TEXT = [{"type": "text", "text": "x"}]
ASKS = {"a": {"method": "elicitation/create",
              "params": {"message": "x", "requestedSchema": {"type": "object", "properties": {}}}}}


def result(value, number=1):
    return {"jsonrpc": "2.0", "id": number, "result": value}


def error(code, data=None):
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "x", **({"data": data} if data else {})}}


GOOD = [
    (OLD, result({"content": TEXT}), "tools/call"),
    (OLD, error(-32002, {"uri": "x"}), "resources/read"),
    (MODERN, result({"content": TEXT, "resultType": "complete"}), "tools/call"),
    (MODERN, result({"inputRequests": ASKS, "resultType": "input_required"}), "tools/call"),
    (MODERN, error(-32022, {"supported": [MODERN], "requested": "1"}), "tools/call"),
]
BAD = {
    "no jsonrpc": (OLD, {"id": 1, "result": {"content": TEXT}}, "tools/call"),
    "two members": (OLD, {**result({"content": TEXT}), "error": {"code": 1, "message": "x"}}, "tools/call"),
    "a batch": (OLD, [result({"content": TEXT})], "tools/call"),
    "a null id": (OLD, result({"content": TEXT}, None), "tools/call"),
    "a number as text": (MODERN, result({"tools": [], "resultType": "complete", "ttlMs": "0", "cacheScope": "private"}),
                         "tools/list"),
    "no hint": (MODERN, result({"tools": [], "resultType": "complete", "ttlMs": 0}), "tools/list"),
    "no result type": (MODERN, result({"content": TEXT}), "tools/call"),
    "no content": (MODERN, result({"resultType": "complete"}), "tools/call"),
    "nothing required": (MODERN, result({"resultType": "input_required"}), "tools/call"),
    "requires a tool": (MODERN, result({"resultType": "input_required", "inputRequests": {
        "a": {"method": "tools/call", "params": {"name": "x"}}}}), "tools/call"),
    "input for a list": (MODERN, result({"resultType": "input_required", "requestState": "x"}), "tools/list"),
    "a retired code": (MODERN, error(-32002, {"uri": "x"}), "resources/read"),
    "names for capabilities": (MODERN, error(-32021, {"requiredCapabilities": ["sampling"]}), "tools/call"),
    "a request of a server": (MODERN, {"jsonrpc": "2.0", "id": 1, "method": "roots/list"}, None),
    "a notification of another era": (OLD, {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
        "notifications": {}}}, None),
    "progress without a token": (OLD, {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}, None),
    "an answer to nothing": (OLD, result({}), None),
}


@pytest.mark.parametrize(("revision", "message", "asked"), GOOD)
def test_what_a_revision_allows_passes(revision: str, message: dict, asked: str):
    check_from_server(revision, message, asked)


@pytest.mark.parametrize("case", BAD)
def test_what_a_revision_forbids_fails(case: str):
    with pytest.raises(Violation):
        check_from_server(*BAD[case])


def test_what_a_test_must_not_send_fails():
    with pytest.raises(Violation):
        check_from_client(MODERN, {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}})
