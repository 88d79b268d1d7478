# SPDX-License-Identifier: Apache-2.0
"""A server made with the official SDK of this environment: python_server.py sse|streamable-http [CERTIFICATE KEY].

It prints the port it listens on. `drop` breaks its own stream in the middle of a call, so that a client has to resume.
"""
import asyncio
import itertools
import socket
import sys

import uvicorn
from mcp.server.streamable_http import EventMessage, EventStore

try:
    from mcp.server.fastmcp import Context, FastMCP as Server
    from mcp.types import SamplingMessage, TextContent
    IS_ONE = True
except ImportError:
    from mcp.server.mcpserver import Context, MCPServer as Server
    from mcp_types import SamplingMessage, TextContent
    IS_ONE = False


class Store(EventStore):
    """Keeps every event, under ids that count up."""

    def __init__(self):
        self.events: dict[str, tuple[str, object]] = {}
        self.ids = itertools.count(1)

    async def store_event(self, stream_id, message):
        event = str(next(self.ids))
        self.events[event] = (stream_id, message)
        return event

    async def replay_events_after(self, last_event_id, send_callback):
        if last_event_id not in self.events:
            return None
        stream = self.events[last_event_id][0]
        for event, (owner, message) in list(self.events.items()):
            if int(event) > int(last_event_id) and owner == stream and message is not None:
                await send_callback(EventMessage(message, event))
        return stream


settings = {"event_store": Store(), "retry_interval": 50}
server = Server("python", **settings) if IS_ONE else Server("python")


@server.tool()
def echo(message: str) -> str:
    return message


@server.tool()
async def steps(count: int, context: Context) -> str:
    for step in range(count):
        await context.report_progress(step, count)
    return f"{count} steps"


@server.tool()
async def ask(prompt: str, context: Context) -> str:
    question = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
    answer = await context.session.create_message(messages=[question], max_tokens=10)
    return answer.content.text


@server.tool()
async def drop(context: Context) -> str:
    await context.report_progress(1, 2)
    await context.close_sse_stream()
    # What is said now is kept, and replayed to whoever resumes.
    await context.report_progress(2, 2)
    return "whole"


def app():
    if sys.argv[1] == "sse":
        return server.sse_app()
    return server.streamable_http_app() if IS_ONE else server.streamable_http_app(**settings)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
tls = {"ssl_certfile": sys.argv[2], "ssl_keyfile": sys.argv[3]} if len(sys.argv) > 2 else {}
config = uvicorn.Config(app(), log_level="warning", timeout_graceful_shutdown=1, **tls)
asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
