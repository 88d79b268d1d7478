# SPDX-License-Identifier: Apache-2.0
"""One client with one set of names over both official SDKs, so that one test body runs on either.

Results come back as plain dictionaries in the form of the wire (camelCase, absent members absent). SDK 2 is used in
its legacy mode: the `initialize` handshake, byte for byte what it sent before 2026. SDK 1 alone speaks of tasks, and
SDK 2 drops members that it does not know; nothing else differs for a test. What SDK 2 does of itself is in eras.py.
"""
from __future__ import annotations

import importlib.metadata
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel

VERSION = importlib.metadata.version("mcp")
IS_ONE = VERSION.startswith("1.")
# Longer than any honest test takes, shorter than a person's patience.
LIMIT_SECONDS = 60

if IS_ONE:
    import mcp.types as types
    from mcp.client.session import ClientSession
    from mcp.client.sse import sse_client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.shared.exceptions import McpError as SDKError
else:
    import mcp_types as types
    from mcp.client.client import Client as SDKClient
    from mcp.client.sse import sse_client
    from mcp.client.stdio import StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.shared.exceptions import MCPError as SDKError


@dataclass(frozen=True)
class HTTPTarget:
    """A Streamable HTTP endpoint, or the stream of the 2024-11-05 transport, and the token that opens it."""

    url: str
    token: str | None = None
    sse: bool = False


@dataclass(frozen=True)
class StdioTarget:
    """A server as a child of the test itself, with nothing in between."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: str | None = None


Target = HTTPTarget | StdioTarget


class Refused(Exception):
    """The other side answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.data = code, message, data


def wire(model: Any) -> dict[str, Any]:
    """A model as it stood on the wire."""
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


@dataclass
class Notices:
    """Every notification the server sent, in order, each with `method` and `params`."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    _changed: anyio.Event = field(default_factory=anyio.Event)

    def add(self, notice: dict[str, Any]):
        self.seen.append(notice)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def changed(self):
        """Waits for the next one, whatever it is."""
        await self._changed.wait()

    def of(self, method: str) -> list[dict[str, Any]]:
        return [notice.get("params", {}) for notice in self.seen if notice["method"] == method]

    async def wait(self, method: str, count: int = 1, limit: float = 15) -> list[dict[str, Any]]:
        """Waits until `count` notices of the method came, and answers their parameters."""
        with anyio.move_on_after(limit):
            while len(self.of(method)) < count:
                await self._changed.wait()
        found = self.of(method)
        assert len(found) >= count, f"{len(found)} of {count} '{method}' came within {limit} s; seen: {self.seen}"
        return found


# What a test answers to a request of the server: a function of its parameters that returns a result as a dictionary,
# or a pair of code and message for an error.
Answer = Callable[[dict[str, Any]], "dict[str, Any] | tuple[int, str]"]


class Client:
    """A connected, initialized client."""

    def __init__(self, session: Any, initialized: dict[str, Any], notices: Notices, session_id: Callable[[], str | None]):
        self.session = session
        self.initialized = initialized
        self.notices = notices
        self.session_id = session_id

    async def _ask(self, question: Awaitable[Any]) -> dict[str, Any]:
        try:
            return wire(await question)
        except SDKError as error:
            raise Refused(error.error.code, error.error.message, error.error.data) from error

    async def list(self, kind: str, cursor: str | None = None) -> dict[str, Any]:
        """One page of `tools`, `resources`, `resource_templates` or `prompts`."""
        parameters = types.PaginatedRequestParams(cursor=cursor) if cursor is not None else None
        return await self._ask(getattr(self.session, f"list_{kind}")(params=parameters))

    async def list_all(self, kind: str) -> list[dict[str, Any]]:
        """Every entry of every page."""
        member = "resourceTemplates" if kind == "resource_templates" else kind
        entries, cursor = [], None
        while True:
            page = await self.list(kind, cursor)
            entries += page[member]
            cursor = page.get("nextCursor")
            if cursor is None:
                return entries

    async def call(self, tool: str, arguments: dict[str, Any] | None = None, *, progress: Any = None,
                   limit: float | None = None, meta: dict[str, Any] | None = None) -> dict[str, Any]:
        timeout: Any = timedelta(seconds=limit) if IS_ONE and limit is not None else limit
        return await self._ask(self.session.call_tool(
            tool, arguments or {}, read_timeout_seconds=timeout, progress_callback=progress, meta=meta))

    async def call_and_cancel(self, tool: str, arguments: dict[str, Any], when: Awaitable[Any], progress: Any,
                              reason: str, group: Any = None, sibling: Any = None):
        """Calls, waits for `when`, then cancels the call the way this SDK cancels.

        `sibling` is started three times in `group` once the call is on its way, and is none of what is cancelled.
        """
        # The id that the SDK is about to use; nothing else may be sent until the call is on its way.
        request = self.session._request_id if IS_ONE else None

        async def call():
            await self.session.call_tool(tool, arguments, progress_callback=progress)

        async with anyio.create_task_group() as mine:
            mine.start_soon(call)
            await when
            for _ in range(3 if sibling else 0):
                group.start_soon(sibling)
            await anyio.lowlevel.checkpoint()
            if IS_ONE:
                # SDK 1 tells nobody that it gave up; its users send the notice themselves.
                await self.session.send_notification(types.ClientNotification(types.CancelledNotification(
                    params=types.CancelledNotificationParams(requestId=request, reason=reason))))
            mine.cancel_scope.cancel()

    # Tasks of 2025-11-25: an experiment that SDK 1 alone has.

    async def start_task(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = await self._ask(self.session.experimental.call_tool_as_task(tool, arguments))
        return answer["task"]

    async def tasks(self) -> list[dict[str, Any]]:
        return (await self._ask(self.session.experimental.list_tasks()))["tasks"]

    async def task(self, task: str) -> dict[str, Any]:
        return await self._ask(self.session.experimental.get_task(task))

    async def task_result(self, task: str) -> dict[str, Any]:
        return await self._ask(self.session.experimental.get_task_result(task, types.CallToolResult))

    async def cancel_task(self, task: str) -> dict[str, Any]:
        return await self._ask(self.session.experimental.cancel_task(task))

    async def read(self, uri: str) -> dict[str, Any]:
        return await self._ask(self.session.read_resource(uri))

    async def subscribe(self, uri: str):
        await self._ask(self.session.subscribe_resource(uri))

    async def unsubscribe(self, uri: str):
        await self._ask(self.session.unsubscribe_resource(uri))

    async def prompt(self, name: str, arguments: dict[str, str] | None = None) -> dict[str, Any]:
        return await self._ask(self.session.get_prompt(name, arguments))

    async def complete(self, reference: dict[str, str], argument: str, value: str,
                       context: dict[str, str] | None = None) -> dict[str, Any]:
        kind = types.PromptReference if reference["type"] == "ref/prompt" else types.ResourceTemplateReference
        answer = await self._ask(self.session.complete(
            kind.model_validate(reference), {"name": argument, "value": value}, context))
        return answer["completion"]

    async def set_level(self, level: str):
        await self._ask(self.session.set_logging_level(level))

    async def ping(self) -> dict[str, Any]:
        return await self._ask(self.session.send_ping())

    async def roots_changed(self):
        await self.session.send_roots_list_changed()


def _handlers(notices: Notices, sampling: Answer | None, elicitation: Answer | None, roots: Answer | None):
    def settle(answer: Any, result_type: Any) -> Any:
        if isinstance(answer, tuple):
            return types.ErrorData(code=answer[0], message=answer[1])
        return result_type.model_validate(answer)

    async def on_message(message: Any):
        if isinstance(message, Exception):
            notices.add({"method": "transport/exception", "params": {"text": repr(message)}})
        elif IS_ONE and isinstance(message, types.ServerNotification):
            notices.add(wire(message.root))
        elif not IS_ONE:
            notices.add(wire(message))

    async def on_sampling(_context: Any, parameters: Any) -> Any:
        assert sampling is not None
        return settle(sampling(wire(parameters)), types.CreateMessageResult)

    async def on_elicitation(_context: Any, parameters: Any) -> Any:
        assert elicitation is not None
        return settle(elicitation(wire(parameters)), types.ElicitResult)

    async def on_roots(_context: Any) -> Any:
        assert roots is not None
        return settle(roots({}), types.ListRootsResult)

    return {
        "message_handler": on_message,
        "sampling_callback": on_sampling if sampling else None,
        "elicitation_callback": on_elicitation if elicitation else None,
        "list_roots_callback": on_roots if roots else None,
    }


@asynccontextmanager
async def _streams(target: Target):
    """The transport of the SDK: its two streams and a way to ask for the session id."""
    if isinstance(target, StdioTarget):
        parameters = StdioServerParameters(
            command=target.command[0], args=target.command[1:], env=target.environment, cwd=target.folder)
        async with stdio_client(parameters) as (reading, writing):
            yield reading, writing, lambda: None
        return
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    if target.sse:
        async with sse_client(target.url, headers=headers) as (reading, writing):
            yield reading, writing, lambda: None
        return
    identity: dict[str, str] = {}

    async def note_session(response: Any):
        if found := response.headers.get("mcp-session-id"):
            identity["session"] = found

    async with create_mcp_http_client(headers=headers) as http:
        http.event_hooks["response"].append(note_session)
        async with streamable_http_client(target.url, http_client=http) as streams:
            yield streams[0], streams[1], lambda: identity.get("session")


@asynccontextmanager
async def connect(target: Target, *, sampling: Answer | None = None, elicitation: Answer | None = None,
                  roots: Answer | None = None, limit: float = LIMIT_SECONDS):
    """Connects, initializes, and ends the whole thing after `limit` seconds."""
    notices = Notices()
    handlers = _handlers(notices, sampling, elicitation, roots)
    try:
        with anyio.fail_after(limit):
            async with _streams(target) as (reading, writing, session_id):
                if IS_ONE:
                    async with ClientSession(reading, writing, **handlers) as session:
                        result = await session.initialize()
                        yield Client(session, wire(result), notices, session_id)
                else:
                    async with SDKClient(_Opened(reading, writing), mode="legacy", cache=None, **handlers) as client:
                        result = client.session.initialize_result
                        yield Client(client.session, wire(result), notices, session_id)
    except BaseExceptionGroup as group:
        raise _only(group) from None


def _only(error: BaseException) -> BaseException:
    """The one failure inside the groups that the SDK's task groups wrap around it; a true group stays one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class _Opened:
    """An open pair of streams in the shape of SDK 2's transport; its owner closes it."""

    def __init__(self, reading: Any, writing: Any):
        self._streams = (reading, writing)

    async def __aenter__(self):
        return self._streams

    async def __aexit__(self, *_: Any):
        return None
