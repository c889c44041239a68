"""What can be asked of a server of WebSockets, told by a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import WebSocketTarget

_AS_TEXT = ("input_schema", "request")


def web_socket_of(url: str, tools: Path | None) -> "WebSocketTarget":
    """The target: the file is a list of tools, or an object with the fields of the contract.

    Schemas and requests may be JSON itself there.
    """
    from google.protobuf.json_format import ParseDict, ParseError

    from antiphon.integration.v1.connection_pb2 import WebSocketTarget

    try:
        told = {"tools": []} if tools is None else json.loads(tools.read_text("utf-8"))
        whole = told if isinstance(told, dict) else {"tools": told}
        listed = [_spelled(tool) for tool in whole.get("tools", [])]
        return ParseDict({**whole, "tools": listed, "url": url}, WebSocketTarget())
    except (OSError, ValueError, TypeError, AttributeError, ParseError) as error:
        fail(f"the file of tools can't be read: {error}", 2)


def _spelled(tool: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if name in _AS_TEXT and isinstance(value, dict) else value
        for name, value in tool.items()
    }
