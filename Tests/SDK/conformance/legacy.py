# SPDX-License-Identifier: Apache-2.0
"""A client of 2025-11-25: handshake, session, a stream of its own, and answers to what the server asks."""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import schemas
from wire import ACCEPT, LIMIT_SECONDS, Exchange, next_id, send

LEGACY = "2025-11-25"
Handlers = dict[str, Callable[[dict[str, Any]], dict[str, Any]]]


def initialize(url: str, capabilities: dict[str, Any] | None = None, extra: list[tuple[str, str]] | None = None) -> Exchange:
    """The first request of a session; the version is negotiated in it, so no header names one."""
    number = next_id()
    body = {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": capabilities or {}, "clientInfo": {"name": "conformance", "version": "1"}}}
    schemas.check_from_client(LEGACY, body)
    headers = [("Content-Type", "application/json"), ("Accept", ACCEPT), *(extra or [])]
    return send(url, LEGACY, "POST", headers, body, asked="initialize", number=number)


class LegacyClient:
    """One session. `handlers` answer the requests of the server, by method; what is handled is declared."""

    def __init__(self, url: str, handlers: Handlers | None = None):
        self.url, self.handlers = url, handlers or {}
        names = {"sampling/createMessage": "sampling", "elicitation/create": "elicitation", "roots/list": "roots"}
        with initialize(url, {names[method]: {} for method in self.handlers}) as exchange:
            self.initialized = exchange.response()["result"]
            assert exchange.status == 200
            self.session = exchange.headers.get("mcp-session-id")
        assert self.session, "a session id lets a server tell its clients apart"
        self.notices: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._reader: threading.Thread | None = None
        self._failure: AssertionError | None = None
        self.notify("notifications/initialized")
        self._open()

    def headers(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        return [("Content-Type", "application/json"), ("Accept", ACCEPT), ("Mcp-Session-Id", self.session or ""),
                ("MCP-Protocol-Version", LEGACY), *more]

    def _post(self, body: dict[str, Any]):
        with send(self.url, LEGACY, "POST", self.headers(), body) as exchange:
            assert exchange.status == 202, exchange.status

    def notify(self, method: str, params: dict[str, Any] | None = None):
        body = {"jsonrpc": "2.0", "method": method, **({"params": params} if params else {})}
        schemas.check_from_client(LEGACY, body)
        self._post(body)

    def _answer(self, request: dict[str, Any]):
        result = self.handlers[request["method"]](request.get("params", {}))
        self._post({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def _open(self):
        """The stream of the session: whatever belongs to no call comes there."""
        self._stream = send(self.url, LEGACY, "GET", self.headers()[1:])
        if self._stream.status == 405:
            self._stream.close()
            return
        assert (self._stream.status, self._stream.type) == (200, "text/event-stream")

        def read():
            try:
                for message in self._stream.messages():
                    if "id" in message:
                        self._answer(message)
                    else:
                        self._note(message)
            except (OSError, ValueError, AttributeError):
                pass  # `close` ends the connection under the reader.
            except AssertionError as failure:
                self._failure = failure

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    def _note(self, message: dict[str, Any]):
        with self._changed:
            self.notices.append(message)
            self._changed.notify_all()

    def wait(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """Waits until `count` notifications of the method came, on whatever stream, and answers their parameters."""
        def found() -> list[dict[str, Any]]:
            return [notice.get("params", {}) for notice in self.notices if notice["method"] == method]

        with self._changed:
            came = self._changed.wait_for(lambda: len(found()) >= count, LIMIT_SECONDS)
            assert came, f"{len(found())} of {count} '{method}' came: {self.notices}"
            return found()

    def send(self, method: str, params: dict[str, Any] | None = None, number: Any = None) -> Exchange:
        number = next_id() if number is None else number
        body = {"jsonrpc": "2.0", "id": number, "method": method, **({"params": params} if params is not None else {})}
        schemas.check_from_client(LEGACY, body)
        return send(self.url, LEGACY, "POST", self.headers(), body, asked=method, number=number)

    def result(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        with self.send(method, params) as exchange:
            answer = exchange.response(self._answer)
            for notice in exchange.notices:
                self._note(notice)
            assert (exchange.status, "result" in answer) == (200, True), answer
            return answer["result"]

    def meta(self, **members: Any) -> dict[str, Any]:
        """What `_meta` of a request carries beside these members: nothing, in this revision."""
        return members

    def call(self, tool: str, arguments: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        return self.result("tools/call", {"name": tool, "arguments": arguments or {}, **params})

    def delete(self) -> int:
        with send(self.url, LEGACY, "DELETE", self.headers()) as exchange:
            return exchange.status

    def __enter__(self) -> LegacyClient:
        return self

    def __exit__(self, *_: Any):
        self.delete()
        self._stream.close()
        if self._reader:
            self._reader.join(LIMIT_SECONDS)
            assert not self._reader.is_alive(), "the stream of the session outlived it"
        if self._failure:
            raise self._failure
