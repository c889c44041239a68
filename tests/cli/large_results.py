"""An MCP server whose tool returns more than an event holds, and a picture. Run as a program.

Another one ends it in the middle of the call.
"""

import asyncio
import os

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LINES = 20_000


async def _list(*_: object) -> types.ListToolsResult:
    schema = {"type": "object"}
    tools = [types.Tool(name=name, input_schema=schema) for name in ("dump", "quit")]
    return types.ListToolsResult(tools=tools)


async def _call(_: object, asked: types.CallToolRequestParams) -> types.CallToolResult:
    if asked.name == "quit":
        os._exit(1)
    text = "\n".join(f"line {number}" for number in range(LINES))
    picture = types.ImageContent(type="image", data=PNG, mime_type="image/png")
    return types.CallToolResult(content=[types.TextContent(type="text", text=text), picture])


async def main() -> None:
    """Serve until the input ends."""
    server = Server("large", on_list_tools=_list, on_call_tool=_call)
    async with stdio_server() as (source, sink):
        await server.run(source, sink, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())
