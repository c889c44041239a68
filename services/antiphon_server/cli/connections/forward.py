"""``antiphon connections forward``: one request, and its answer as it is printed."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_service_pb2 import HttpRequest, SocketMessage

FAILED = 400


def forward(
    name: Name,
    said: Annotated[
        str, typer.Argument(metavar="[MESSAGE]", help="To WebSockets: what to say.")
    ] = "",
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="To HTTP: where, with its query.")
    ] = "",
    method: Annotated[str, typer.Option("--method", help="To HTTP: what to do.")] = "GET",
    body: Annotated[str, typer.Option("--body", help="To HTTP: what to send, as JSON.")] = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Send one request by a connection as it is, and print its answer; no approval is asked for.

    For example:

    - `antiphon connections forward prices '{"jsonrpc": "2.0", "method": "list", "id": 1}'`
    - `antiphon connections forward shop --path '/orders?state=open'`
    - `antiphon connections forward shop --method POST --path /orders --body '{"item": 7}'`
    """
    if bool(said) == bool(path):
        fail("say what to send: a MESSAGE, or --path PATH", 2)
    wanted = _request_of(said, method, path, body)
    run_at(address, data_dir, lambda at: _forwarded(name, wanted, workspace, json, at, data_dir))


def _request_of(said: str, method: str, path: str, body: str) -> "HttpRequest | SocketMessage":
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


async def _forwarded(
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
