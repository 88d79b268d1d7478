# SPDX-License-Identifier: Apache-2.0
"""A server of both eras made with SDK 2, over Streamable HTTP; it prints the port it listens on."""
import asyncio
import socket
from typing import Annotated

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel, Field

server = MCPServer("modern")
cancelled: list[str] = []


class Name(BaseModel):
    name: str


@server.tool()
def echo(message: str) -> str:
    return message


@server.tool()
async def steps(count: int, context: Context) -> str:
    for step in range(count):
        await context.report_progress(step, count)
    return f"{count} steps"


@server.tool()
def region(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
           count: Annotated[int, Field(json_schema_extra={"x-mcp-header": "Count"})] = 0) -> str:
    return f"{region} {count}"


@server.tool()
async def change(context: Context) -> str:
    await context.notify_tools_changed()
    return "changed"


@server.tool()
async def wait(mark: str, context: Context) -> str:
    await context.report_progress(0, 1)
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        cancelled.append(mark)
        raise
    return "never"


@server.tool()
def marks() -> str:
    return ",".join(cancelled)


@server.resource("test://ü/{name}")
def thing(name: str) -> str:
    return f"thing {name}"


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(server.streamable_http_app(), log_level="warning", timeout_graceful_shutdown=1)
asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
