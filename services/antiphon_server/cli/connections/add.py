"""``antiphon connections add``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import Connection


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What its tools begin with.")],
    mcp: Annotated[str, typer.Option("--mcp", metavar="URL", help="An MCP server over HTTP.")] = "",
    program: Annotated[
        str, typer.Option("--program", metavar="ID", help="A program of the server's settings.")
    ] = "",
    openapi: Annotated[
        str,
        typer.Option(
            "--openapi", metavar="URL|FILE", help="The OpenAPI document of a service over HTTP."
        ),
    ] = "",
    base_url: Annotated[
        str,
        typer.Option(
            "--base-url", metavar="URL", help="Where that service is, if not where it says."
        ),
    ] = "",
    websocket: Annotated[
        str, typer.Option("--websocket", metavar="URL", help="A server of WebSockets.")
    ] = "",
    tools: Annotated[
        Path | None,
        typer.Option("--tools", metavar="FILE", help="What can be asked there, as JSON."),
    ] = None,
    grpc: Annotated[
        str, typer.Option("--grpc", metavar="ADDRESS", help="A gRPC server: https://host:port.")
    ] = "",
    descriptors: Annotated[
        Path | None,
        typer.Option("--descriptors", metavar="FILE", help="Its descriptor set, not reflection."),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="NAME", help="Offer it, in place of all it has."),
    ] = None,
    bearer: Annotated[
        str, typer.Option("--bearer", metavar="SECRET", help="The name of the secret that signs.")
    ] = "",
    oauth: Annotated[
        bool, typer.Option("--oauth", help="A person authorizes it: see `authorize`.")
    ] = False,
    client_id: Annotated[
        str, typer.Option("--client-id", metavar="ID", help="How its issuer knows this server.")
    ] = "",
    client_secret: Annotated[
        str, typer.Option("--client-secret", metavar="SECRET", help="That client's secret's name.")
    ] = "",
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Ask for it, in place of all it names.")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What people see.")] = "",
    allow_sampling: Annotated[
        bool, typer.Option("--allow-sampling", help="It may have models asked; callers pay.")
    ] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Add a connection and say whether it answers; for admins of the workspace.

    One that does not answer is kept: what is said then is why, and the exit code stays 0.

    For example:

    - `antiphon connections add wiki --mcp https://wiki.example/mcp`
    - `antiphon connections add wiki --mcp https://wiki.example/mcp --bearer wiki-token`
    - `antiphon connections add files --program files`
    - `antiphon connections add shop --openapi https://shop.example/openapi.json --bearer shop-key`
    - `antiphon connections add till --openapi till.yaml --base-url https://till.example`
    - `antiphon connections add prices --websocket wss://prices.example/ws --tools prices.json`
    - `antiphon connections add bank --grpc https://bank.example --descriptors bank.binpb`
    """
    from antiphon.integration.v1.connection_pb2 import Connection, OAuthCredential
    from antiphon_server.cli.connections.targets import grpc_of, openapi_of, web_socket_of, whole

    places = sum(map(bool, (mcp, program, openapi, websocket, grpc)))
    if places != 1:
        said = "a connection leads to one place" if places else "say where it is"
        fail(f"{said}: one of --mcp, --program, --openapi, --websocket and --grpc", 2)
    if base_url and not openapi:
        fail("--base-url belongs to --openapi", 2)
    if (descriptors or services) and not grpc:
        fail("--descriptors and --service belong to --grpc", 2)
    wanted = Connection(name=name, title=title, allow_sampling=allow_sampling)
    if mcp:
        wanted.mcp.url = whole(mcp, "--mcp")
    elif program:
        wanted.mcp_program.program = program
    elif grpc:
        wanted.grpc.CopyFrom(grpc_of(whole(grpc, "--grpc"), services or (), descriptors))
    elif websocket:
        wanted.web_socket.CopyFrom(web_socket_of(whole(websocket, "--websocket", "ws"), tools))
    else:
        wanted.openapi.CopyFrom(openapi_of(openapi, whole(base_url, "--base-url")))
    if bearer and oauth:
        fail("say how it is signed: --bearer SECRET, or --oauth", 2)
    if bearer:
        wanted.credential.bearer = bearer
    if oauth:
        given = {"client_id": client_id, "client_secret": client_secret}
        wanted.credential.oauth.CopyFrom(OAuthCredential(**given, scopes=scope or ()))
    elif client_id or client_secret or scope:
        fail("--client-id, --client-secret and --scope belong to --oauth", 2)
    run_at(address, data_dir, lambda at: _add(wanted, workspace, json, at, data_dir))


async def _add(
    wanted: "Connection", workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connections.states import tell

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        await client.create_connection(where, wanted)
        tested = await client.test_connection(where, wanted.name)
    tell(tested, json)
