"""A request that is sent by a connection, and its answer as it is printed."""

from typing import TYPE_CHECKING

import typer

from antiphon_server.cli.console import aside, print_json, say
from antiphon_server.cli.options import DataDir
from antiphon_server.cli.workspaces import workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_service_pb2 import HttpRequest, SocketMessage

FAILED = 400


def request_of(said: str, method: str, path: str, body: str) -> "HttpRequest | SocketMessage":
    """What to send: a message, or where there is none a request by HTTP."""
    from antiphon.integration.v1.connection_service_pb2 import (
        HttpHeader,
        HttpRequest,
        SocketMessage,
    )

    if said:
        return SocketMessage(text=said)
    headers = [HttpHeader(name="Content-Type", value="application/json")] if body else []
    return HttpRequest(method=method.upper(), path=path, headers=headers, body=body.encode())


async def forwarded(
    name: str,
    wanted: "HttpRequest | SocketMessage",
    workspace: str,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    """Send it, and print what comes; the exit code is 1 for an error of HTTP."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        answer = await client.forward(await workspace_of(client, workspace), name, wanted)
    if json:
        print_json(as_dict(answer))
    elif answer.HasField("http"):
        aside(f"{answer.http.status}")
        say(answer.http.body.decode(errors="replace"))
    else:
        message = answer.message
        said = message.text if message.HasField("text") else message.binary.decode(errors="replace")
        say(said)
    if answer.http.status >= FAILED:
        raise typer.Exit(1)
