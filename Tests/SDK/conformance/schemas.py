# SPDX-License-Identifier: Apache-2.0
"""What a message of a revision may be, by the types that the protocol's own package generates from its schema.

`mcp-types` is laxer than the schema in these points, and they are checked here instead:
- it takes "5" for 5 and drops what it does not know: everything is read strictly, from JSON;
- `resultType` is any string, so a call's result without content passes for an InputRequiredResult and the other way
  round: the value chooses the type here;
- that an InputRequiredResult has `inputRequests` or `requestState` is only prose there;
- its tables have no rows for errors: their codes, and the data of those that have some, are checked here.
Not checked by either: formats (`uri`, `byte`), and structured content against the tool's own schema.
Tasks of 2025-11-25 are in none of its tables; no test here uses them.
"""
from __future__ import annotations

import functools
import json
from typing import Any, get_args

import mcp_types as types
from mcp_types import methods
from pydantic import TypeAdapter, ValidationError

MODERN = "2026-07-28"
# Codes that earlier revisions gave a meaning, and that no message of 2026-07-28 may carry.
RETIRED = {-32002, -32042}
DATA = {-32021: types.MissingRequiredClientCapabilityErrorData, -32022: types.UnsupportedProtocolVersionErrorData}
# What a server may ask for inside an InputRequiredResult. Their shapes did not change since 2025-11-25.
INPUT_REQUESTS = {"elicitation/create", "sampling/createMessage", "roots/list"}


class Violation(AssertionError):
    """A message that its revision does not allow."""


@functools.cache
def _adapter(kind: Any) -> TypeAdapter:
    return TypeAdapter(kind)


def _check(kind: Any, value: Any, what: str):
    try:
        _adapter(kind).validate_json(json.dumps(value), strict=True, by_name=False, by_alias=True)
    except ValidationError as error:
        raise Violation(f"{what}: {error}\nin {json.dumps(value)[:2000]}") from None


def _require(condition: Any, what: str, message: Any):
    if not condition:
        raise Violation(f"{what}\nin {json.dumps(message)[:2000]}")


def _row(table: Any, method: str, revision: str, what: str) -> Any:
    if (method, revision) not in table:
        raise Violation(f"{revision} has no {what} '{method}'")
    return table[method, revision]


def check_from_server(revision: str, message: Any, asked: str | None = None):
    """Fails on anything that a server of the revision must not send. `asked` is the method that a response answers."""
    _require(isinstance(message, dict), "a message is one object", message)
    _require(message.get("jsonrpc") == "2.0", "'jsonrpc' is '2.0'", message)
    kinds = [member for member in ("method", "result", "error") if member in message]
    _require(len(kinds) == 1, "a message has one of 'method', 'result' and 'error'", message)
    if "id" in message:
        number = message["id"]
        _require(isinstance(number, (str, int)) and not isinstance(number, bool), "an id is a string or an integer", message)
    if kinds == ["method"]:
        requests = "id" in message
        table = methods.SERVER_REQUESTS if requests else methods.SERVER_NOTIFICATIONS
        _check(_row(table, message["method"], revision, "server request" if requests else "server notification"),
               message, message["method"])
    elif kinds == ["error"]:
        _check_error(revision, message)
    else:
        _require("id" in message, "a response has an id", message)
        _require(asked is not None, "a response answers something that was asked", message)
        check_result(revision, asked or "", message["result"])


def _check_error(revision: str, message: dict[str, Any]):
    _check(types.JSONRPCError, {"id": None, **message}, "error")
    code, data = message["error"]["code"], message["error"].get("data")
    if revision == MODERN:
        _require(code not in RETIRED, f"{code} is not used any more", message)
        if code in DATA:
            _check(DATA[code], data, f"data of {code}")


def check_result(revision: str, method: str, result: Any):
    """Fails on anything that does not answer a request of this method."""
    _require(isinstance(result, dict), "a result is an object", result)
    kind = _row(methods.SERVER_RESULTS, method, revision, "request")
    if revision == MODERN:
        _require(result.get("resultType") in ("complete", "input_required"), "a result says its 'resultType'", result)
        asks = result["resultType"] == "input_required"
        arms = get_args(kind) or (kind,)
        arms = [arm for arm in arms if (arm.__name__ == "InputRequiredResult") == asks]
        _require(len(arms) == 1, f"'{method}' may not be answered with '{result['resultType']}'", result)
        kind = arms[0]
        if asks:
            _require(result.keys() & {"inputRequests", "requestState"}, "something is required of the client", result)
            for key, request in result.get("inputRequests", {}).items():
                _require(request.get("method") in INPUT_REQUESTS, f"'{key}' asks for what a server may ask", result)
    _check(kind, result, f"result of '{method}'")


def check_from_client(revision: str, message: dict[str, Any]):
    """Fails on a request or notification that the test itself must not send, so that it proves what it says."""
    table = methods.CLIENT_REQUESTS if "id" in message else methods.CLIENT_NOTIFICATIONS
    _check(_row(table, message["method"], revision, "client message"), message, message["method"])
