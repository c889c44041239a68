"""Calls a tool of a program that speaks MCP, with what an installed wheel brings: prints what it
says. Run as ``python mcp_call.py PROGRAM``.
"""

import asyncio
import sys

import httpx2

from antiphon_server.integration.connections.mcp.model import Config, Program
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Result,
    SourceName,
    ToolCallId,
    ToolName,
)


async def main(program: str) -> None:
    config = Config(SourceName("it"), Program(sys.executable, (program,)), "2025-11-25")
    connection = await open_connection(config, Outside(httpx2.AsyncHTTPTransport))
    try:
        asked = Call(ToolCallId("1"), ToolName("it.echo"), {"text": "here"}, Caller("w"))
        result = await connection.call(asked)
    finally:
        await connection.close()
    assert isinstance(result, Result)
    sys.stdout.write(result.parts[0].content)


asyncio.run(main(sys.argv[1]))
