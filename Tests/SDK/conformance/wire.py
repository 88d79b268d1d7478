# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes: every header and every event is seen, and every message of the server is checked by `schemas`."""
from __future__ import annotations

import http.client
import itertools
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import schemas

# How long anything may take that is bound to come. Nothing here waits for its length.
LIMIT_SECONDS = 20
ACCEPT = "application/json, text/event-stream"
_ids = itertools.count(1000)


def next_id() -> int:
    return next(_ids)


@dataclass
class Event:
    """One event of a stream. `data` is None where the event had no such field."""

    data: str | None = None
    id: str | None = None
    event: str | None = None
    retry: str | None = None


class Exchange:
    """A request under way: status and headers are there, messages are read as they come."""

    def __init__(self, revision: str, connection: http.client.HTTPConnection, asked: str | None, number: Any):
        self.revision, self._connection, self._asked, self.id = revision, connection, asked, number
        self._response = connection.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers
        self.type = (self.headers.get("content-type") or "").partition(";")[0].strip().lower()
        self.events: list[Event] = []
        self.notices: list[dict[str, Any]] = []
        self._left = self._read()
        if revision == schemas.MODERN:
            # Sessions are gone: their header is neither minted nor echoed.
            assert "mcp-session-id" not in self.headers, self.headers.items()

    def _lines(self) -> Iterator[str]:
        while line := self._response.readline():
            yield line.decode().rstrip("\r\n")

    def _stream(self) -> Iterator[Event]:
        event = Event()
        for line in self._lines():
            if not line:
                if event != Event():
                    self.events.append(event)
                    yield event
                event = Event()
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data":
                event.data = value if event.data is None else f"{event.data}\n{value}"
            elif name in ("id", "event", "retry"):
                setattr(event, name, value)

    def _read(self) -> Iterator[dict[str, Any]]:
        if self.type == "text/event-stream":
            for event in self._stream():
                if self.revision == schemas.MODERN:
                    assert event.id is None and event.retry is None, f"streams cannot be resumed any more: {event}"
                if event.data:
                    yield self._checked(json.loads(event.data))
        elif body := self._response.read():
            assert self.type == "application/json", (self.status, self.type, body)
            yield self._checked(json.loads(body))

    def _checked(self, message: dict[str, Any]) -> dict[str, Any]:
        schemas.check_from_server(self.revision, message, self._asked)
        if "method" not in message and self.id is not None:
            assert message.get("id") == self.id, f"the answer to {self.id!r} is {message}"
        return message

    def messages(self) -> Iterator[dict[str, Any]]:
        """What is left of the answer, as it comes."""
        return self._left

    def next(self) -> dict[str, Any]:
        """The next message; fails where the stream is over."""
        message = next(self._left, None)
        assert message is not None, f"the stream ended early: {self.status}, {self.events}"
        return message

    def response(self, on_request: Callable[[dict[str, Any]], None] | None = None) -> dict[str, Any]:
        """Reads up to the response. Notifications before it are kept; requests go to `on_request` or fail."""
        for message in self._left:
            if "method" not in message:
                return message
            if "id" not in message:
                self.notices.append(message)
            else:
                assert on_request, f"a request on a stream that may have none: {message}"
                on_request(message)
        raise AssertionError(f"no answer to '{self._asked}': {self.status} {self.headers.items()} {self.events}")

    def close(self):
        """Goes away, as a client that lost interest does."""
        if self._connection.sock:
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: Any):
        self.close()


def send(url: str, revision: str, verb: str, headers: list[tuple[str, str]], body: Any = None, *,
         asked: str | None = None, number: Any = None, limit: float = LIMIT_SECONDS) -> Exchange:
    """One HTTP request on a connection of its own. The headers go out in this order and in this spelling."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit)
    names = {name.lower() for name, _ in headers}
    connection.putrequest(verb, parts.path, skip_host="host" in names, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None:
        data = json.dumps(body).encode()
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
    else:
        connection.endheaders()
    return Exchange(revision, connection, asked, number)
