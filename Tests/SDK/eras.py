# SPDX-License-Identifier: Apache-2.0
"""Each official SDK as it is by itself: SDK 1 speaks the handshake era, SDK 2 probes and speaks the newest it finds.

The names are those of `sdk.Client`; only what the eras do by different means has a name of its own here.
"""
from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import sdk
from sdk import IS_ONE, LIMIT_SECONDS, Answer, Client, Notices, Target

NEWEST = "2025-11-25" if IS_ONE else "2026-07-28"

if not IS_ONE:
    from mcp.client.subscriptions import ResourceUpdated, ToolsListChanged

# Waits for the next change of what is watched: the method of its notification.
Next = Callable[[], Awaitable[str]]


@asynccontextmanager
async def _watching_by_handshake(client: Client, uri: str | None) -> AsyncIterator[Next]:
    kinds = ("notifications/tools/list_changed", "notifications/resources/updated")

    def found() -> list[str]:
        return [one["method"] for one in client.notices.seen if one["method"] in kinds]

    if uri:
        await client.subscribe(uri)
    seen = len(found())

    async def following() -> str:
        nonlocal seen
        with anyio.fail_after(15):
            while len(found()) == seen:
                await client.notices.changed()
        seen += 1
        return found()[seen - 1]

    yield following
    if uri:
        await client.unsubscribe(uri)


class AutoClient(Client):
    """SDK 2 in its own mode: it answers what a result requires and retries by itself."""

    def __init__(self, client: Any, notices: Notices):
        super().__init__(client.session, {}, notices, lambda: None)
        self.client = client

    @property
    def version(self) -> str:
        return self.client.protocol_version

    async def call(self, tool: str, arguments: dict[str, Any] | None = None, *, progress: Any = None,
                   limit: float | None = None, meta: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._ask(self.client.call_tool(
            tool, arguments or {}, read_timeout_seconds=limit, progress_callback=progress, meta=meta))

    async def prompt(self, name: str, arguments: dict[str, str] | None = None) -> dict[str, Any]:
        return await self._ask(self.client.get_prompt(name, arguments))

    async def log_from(self, level: str, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Calls a tool whose log messages are wanted from this level on."""
        if self.version != "2026-07-28":
            await self.set_level(level)
            return await self.call(tool, arguments)
        return await self.call(tool, arguments, meta={"io.modelcontextprotocol/logLevel": level})

    def watching(self, uri: str | None = None):
        """Watches the list of tools and, where one is named, a resource."""
        return self._listening(uri) if self.version == "2026-07-28" else _watching_by_handshake(self, uri)

    @asynccontextmanager
    async def _listening(self, uri: str | None) -> AsyncIterator[Next]:
        names = {ToolsListChanged: "notifications/tools/list_changed", ResourceUpdated: "notifications/resources/updated"}
        async with self.client.listen(tools_list_changed=True, resource_subscriptions=[uri] if uri else []) as events:
            assert events.honored.tools_list_changed is True

            async def following() -> str:
                with anyio.fail_after(15):
                    return names[type(await anext(events))]

            yield following


class OneClient(Client):
    """SDK 1, whose users do these things by requests of their own."""

    @property
    def version(self) -> str:
        return self.initialized["protocolVersion"]

    async def log_from(self, level: str, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        await self.set_level(level)
        return await self.call(tool, arguments)

    def watching(self, uri: str | None = None):
        return _watching_by_handshake(self, uri)


@asynccontextmanager
async def connect_newest(target: Target, *, sampling: Answer | None = None, elicitation: Answer | None = None,
                         roots: Answer | None = None, limit: float = LIMIT_SECONDS):
    """Connects as the SDK does by itself, and ends the whole thing after `limit` seconds."""
    if IS_ONE:
        async with sdk.connect(target, sampling=sampling, elicitation=elicitation, roots=roots, limit=limit) as client:
            yield OneClient(client.session, client.initialized, client.notices, client.session_id)
        return
    notices = Notices()
    handlers = sdk._handlers(notices, sampling, elicitation, roots)
    try:
        with anyio.fail_after(limit):
            async with sdk._streams(target) as (reading, writing, _):
                async with sdk.SDKClient(sdk._Opened(reading, writing), cache=None, **handlers) as client:
                    yield AutoClient(client, notices)
    except BaseExceptionGroup as group:
        raise sdk._only(group) from None
