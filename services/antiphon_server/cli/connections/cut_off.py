"""The connections of a workspace that its list of hosts forbids to call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import Connection
    from antiphon_client import Client


async def cut_off(client: "Client", workspace: str, hosts: Sequence[str]) -> list[str]:
    """Those whose own hosts are not among ``hosts``, with these; none where all are allowed."""
    if not hosts:
        return []
    found = []
    async for it in client.list_connections(workspace):
        host = _host(it)
        if it.workspace_id and host and not any(_fits(host, allowed) for allowed in hosts):
            found.append(f"{it.name} ({host})")
    return found


def _host(it: "Connection") -> str:
    """Where its calls go; "" for a program, and where only its document says it."""
    match it.WhichOneof("target"):
        case "mcp":
            url = it.mcp.url
        case "openapi":
            url = it.openapi.base_url or it.openapi.url
        case "web_socket":
            url = it.web_socket.url
        case "grpc":
            url = it.grpc.address
        case _:
            return ""
    return (urlsplit(url).hostname or "").lower()


def _fits(host: str, allowed: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed
