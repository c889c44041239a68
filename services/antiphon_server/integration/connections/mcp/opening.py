"""The door to this room; the SDK is imported where a connection is first made."""

from typing import TYPE_CHECKING

from antiphon_server.integration.connections.mcp.model import Config
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.runtime.concurrency.imports import imported

if TYPE_CHECKING:
    from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection

ADAPTER = "antiphon_server.integration.connections.mcp.adapters.connection"


async def open_connection(config: Config, outside: Outside) -> "McpConnection":
    """A connection, which speaks to nobody until it is used.

    Raises ImportError without the extra ``mcp``.
    """
    adapter = await imported(ADAPTER)
    connection: McpConnection = adapter.McpConnection(config, outside)
    return connection
