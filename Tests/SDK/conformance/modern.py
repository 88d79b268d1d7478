# SPDX-License-Identifier: Apache-2.0
"""A client of 2026-07-28: no handshake, everything that a request needs is in the request."""
from __future__ import annotations

from typing import Any

import schemas
from schemas import MODERN
from wire import ACCEPT, Exchange, next_id, send

PREFIX = "io.modelcontextprotocol/"
SUBSCRIPTION = f"{PREFIX}subscriptionId"
EVERY_CAPABILITY: dict[str, Any] = {"sampling": {}, "elicitation": {}, "roots": {}}
INFO = {"name": "conformance", "version": "1"}
NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def meta(capabilities: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """What `_meta` carries in every request; `more` are further members of the reserved prefix."""
    return {
        f"{PREFIX}protocolVersion": MODERN,
        f"{PREFIX}clientInfo": INFO,
        f"{PREFIX}clientCapabilities": EVERY_CAPABILITY if capabilities is None else capabilities,
        **{f"{PREFIX}{name}": value for name, value in more.items()},
    }


def standard_headers(method: str, params: dict[str, Any] | None) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json", "Accept": ACCEPT, "MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if method in NAMED and isinstance(name := (params or {}).get(NAMED[method]), str):
        headers["Mcp-Name"] = name
    return headers


class ModernClient:
    """Every request on a connection of its own. `capabilities` are declared unless a call says otherwise."""

    def __init__(self, url: str, capabilities: dict[str, Any] | None = None):
        self.url, self.capabilities = url, capabilities

    def send(self, method: str, params: dict[str, Any] | None = None, *, valid: bool = True, number: Any = None,
             headers: dict[str, str | None] | None = None, extra: list[tuple[str, str]] | None = None) -> Exchange:
        """`params` get their `_meta` unless they bring one (or `valid` is False, which sends them as they are).
        `headers` replace standard ones, None leaves one out; `extra` come behind them, also a second time."""
        number = next_id() if number is None else number
        params = dict(params or {})
        if valid and "_meta" not in params:
            params["_meta"] = meta(self.capabilities)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        if valid:
            schemas.check_from_client(MODERN, body)
        sent = standard_headers(method, params)
        for name, value in (headers or {}).items():
            sent = {key: old for key, old in sent.items() if key.lower() != name.lower()}
            if value is not None:
                sent[name] = value
        return send(self.url, MODERN, "POST", [*sent.items(), *(extra or [])], body, asked=method, number=number)

    def result(self, method: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The result, which came with status 200."""
        with self.send(method, params, **more) as exchange:
            answer = exchange.response()
            assert "result" in answer, answer
            assert exchange.status == 200, exchange.status
            return answer["result"]

    def error(self, status: int, code: int, method: str, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The error, which came with this status and this code."""
        with self.send(method, params, **more) as exchange:
            answer = exchange.response()
            assert "error" in answer, answer
            assert (exchange.status, answer["error"]["code"]) == (status, code), (exchange.status, answer)
            return answer["error"]

    def meta(self, **members: Any) -> dict[str, Any]:
        """What `_meta` of a request carries, with these members."""
        return {**meta(self.capabilities), **members}

    def call(self, tool: str, arguments: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        return self.result("tools/call", {"name": tool, "arguments": arguments or {}, **params})

    def listen(self, number: Any = None, **wanted: Any) -> Listening:
        """A stream of `subscriptions/listen`, acknowledged."""
        exchange = self.send("subscriptions/listen", {"notifications": wanted}, number=number)
        return Listening(exchange)


class Listening:
    """An open subscription; every message that comes on it carries its id."""

    def __init__(self, exchange: Exchange):
        self.exchange = exchange
        assert (exchange.status, exchange.type) == (200, "text/event-stream"), (exchange.status, exchange.type)
        first = self.next()
        assert first["method"] == "notifications/subscriptions/acknowledged", first
        self.honoured = first["params"]["notifications"]

    def next(self) -> dict[str, Any]:
        message = self.exchange.next()
        assert message["method"].startswith("notifications/"), message
        assert message["params"]["_meta"][SUBSCRIPTION] == self.exchange.id, message
        return message

    def up_to(self, method: str) -> list[str]:
        """The methods of what comes, up to and with the first of this one."""
        seen: list[str] = []
        while method not in seen:
            seen.append(self.next()["method"])
        return seen

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: Any):
        self.exchange.close()


def elicited(**content: Any) -> dict[str, Any]:
    return {"action": "accept", "content": content}


def sampled(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": {"type": "text", "text": text}, "model": "test-model", "stopReason": "endTurn"}


ROOTS = {"roots": [{"uri": "file:///test/root", "name": "Test Root"}]}


def answers_to(result: dict[str, Any]) -> dict[str, Any]:
    """An answer to everything that an InputRequiredResult asks."""
    given = {"elicitation/create": elicited(name="Alice"), "sampling/createMessage": sampled("Hello"), "roots/list": ROOTS}
    return {key: given[request["method"]] for key, request in result["inputRequests"].items()}


def state_of(result: dict[str, Any]) -> dict[str, Any]:
    """The state as a retry brings it back: exactly, or not at all."""
    return {"requestState": result["requestState"]} if "requestState" in result else {}
