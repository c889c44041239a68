"""``antiphon connections``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.connection_use import put_in_use
from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say
from antiphon_server.cli.cut_off import cut_off
from antiphon_server.cli.grpc_descriptors import grpc_of
from antiphon_server.cli.openapi_documents import openapi_of
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.web_socket_tools import web_socket_of
from antiphon_server.cli.workspaces import Where, workspace_if_any, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import Connection

_ABOUT = """List what is outside of the server and can be called, add to it, test it.

What a connection can do are tools, named by it: `wiki.search` is `search` of the connection `wiki`.
Connections that all workspaces may use, and programs, stand in the server's settings:
ANTIPHON_CONNECTIONS and ANTIPHON_PROGRAMS.

For example:

- `antiphon connections`
- `antiphon connections add wiki --mcp https://wiki.example/mcp --bearer wiki-token`
- `antiphon connections add files --program files`
- `antiphon connections add shop --openapi https://shop.example/openapi.json`
- `antiphon connections add notes --mcp https://notes.example/mcp --oauth`
- `antiphon connections authorize notes`
- `antiphon connections test wiki`
- `antiphon connections forward shop --path /orders`
- `antiphon connections open prices`
- `antiphon connections disable wiki`
- `antiphon connections delete wiki`
- `antiphon connections allow wiki.example`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `list` shows it.")]
_HEADINGS = ("connection", "kind", "state", "tools", "where")


@app.callback()
def connections(
    context: typer.Context,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(workspace, json, at, data_dir))


@app.command("list")
def list_connections(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the connections that a workspace may use, with the state of each.

    For example:

    - `antiphon connections list`
    """
    run_at(address, data_dir, lambda at: _list(workspace, json, at, data_dir))


@app.command()
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
        wanted.mcp.url = mcp
    elif program:
        wanted.mcp_program.program = program
    elif grpc:
        wanted.grpc.CopyFrom(grpc_of(grpc, services or (), descriptors))
    elif websocket:
        wanted.web_socket.CopyFrom(web_socket_of(websocket, tools))
    else:
        wanted.openapi.CopyFrom(openapi_of(openapi, base_url))
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


@app.command()
def authorize(
    name: Name,
    port: Annotated[
        int, typer.Option("--port", help="Where the browser comes back to; 0 for a free one.")
    ] = 0,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Consent to a connection in a browser, for all of the workspace; for its admins.

    For example:

    - `antiphon connections authorize notes`
    """
    run_at(address, data_dir, lambda at: _authorize(name, port, workspace, json, at, data_dir))


@app.command("test")
def probe(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Ask a connection now whether it is there; the exit code is 1 if it is not.

    For example:

    - `antiphon connections test wiki`
    """
    run_at(address, data_dir, lambda at: _test(name, workspace, json, at, data_dir))


@app.command()
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
    from antiphon_server.cli.forwarding import forwarded, request_of

    if bool(said) == bool(path):
        fail("say what to send: a MESSAGE, or --path PATH", 2)
    wanted = request_of(said, method, path, body)
    run_at(address, data_dir, lambda at: forwarded(name, wanted, workspace, json, at, data_dir))


@app.command("open")
def open_relay(
    name: Name,
    count: Annotated[
        int, typer.Option("--count", min=0, help="End after so many messages; 0: never.")
    ] = 0,
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Talk to a server of WebSockets: each line is sent as it is, and each message printed.

    For example:

    - `antiphon connections open prices`
    - `echo '{"method": "subscribe"}' | antiphon connections open prices --count 10`
    """
    from antiphon_server.cli.relaying import relayed

    run_at(address, data_dir, lambda at: relayed(name, count, workspace, at, data_dir))


@app.command()
def disable(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put a connection out of use; it stays listed. For admins of the workspace.

    For example:

    - `antiphon connections disable wiki`
    """
    run_at(address, data_dir, lambda at: put_in_use(name, True, workspace, json, at, data_dir))


@app.command()
def enable(
    name: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put a connection back to use; for admins of the workspace.

    For example:

    - `antiphon connections enable wiki`
    """
    run_at(address, data_dir, lambda at: put_in_use(name, False, workspace, json, at, data_dir))


@app.command()
def delete(
    name: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Remove a connection, and its tools with it; for admins of the workspace.

    For example:

    - `antiphon connections delete wiki`
    """
    run_at(address, data_dir, lambda at: _delete(name, workspace, at, data_dir))


@app.command()
def allow(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="HOST…", help="More hosts; `*.example` is all below one."),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Allow again all that the operator allows.")
    ] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say which hosts a workspace's connections may call, or list them; to say is for admins.

    The first host that is allowed forbids all others. With `--clear` the list begins anew with the
    hosts that are given.

    For example:

    - `antiphon connections allow`
    - `antiphon connections allow wiki.example '*.tools.example'`
    - `antiphon connections allow --clear`
    """
    wanted = list(hosts or ())
    run_at(address, data_dir, lambda at: _allow(wanted, clear, workspace, json, at, data_dir))


async def _allow(
    hosts: list[str], clear: bool, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon.integration.v1.connection_pb2 import EgressRules
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        rules = await client.get_egress_rules(where)
        if hosts or clear:
            kept = () if clear else rules.hosts
            wanted = EgressRules(hosts=sorted({*kept, *hosts}), etag=rules.etag)
            rules = await client.set_egress_rules(where, wanted)
        lost = await cut_off(client, where, rules.hosts)
    if json:
        print_json(as_dict(rules))
    elif rules.hosts:
        aside("Connections of the workspace may call these alone:")
        say("\n".join(map(in_a_line, rules.hosts)))
    else:
        say("Connections may call all hosts that the server's operator allows.", err=True)
    if lost:
        aside(f"Cut off by that: {', '.join(map(in_a_line, lost))}.")


async def _list(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.connection_states import advice_of, state_of
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows, advice = [], []
    async with client_for(address, data_dir) as client:
        async for it in client.list_connections(await workspace_if_any(client, workspace)):
            if json:
                print_json(as_dict(it))
            else:
                kind, where = _target(it)
                rows.append((it.name, kind, state_of(it.status), str(it.status.tools), where))
                advice.append((it.name, advice_of(it)))
    if rows:
        print_table(_HEADINGS, rows)
        for name, said in advice:
            if said:
                aside(f"{in_a_line(name)}: {said}")
    elif not json:
        say("There are none. `antiphon connections add --help` says how to add one.", err=True)


async def _add(
    wanted: "Connection", workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        await client.create_connection(where, wanted)
        tested = await client.test_connection(where, wanted.name)
    _tell(tested, json)


async def _authorize(
    name: str, port: int, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.consent import consented

    async with client_for(address, data_dir) as client:
        done = await consented(client, await workspace_of(client, workspace), name, port)
    _tell(done, json)


async def _test(name: str, workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.integration.v1.connection_pb2 import CONNECTION_STATE_DOWN
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        tested = await client.test_connection(await workspace_if_any(client, workspace), name)
    _tell(tested, json)
    if tested.status.state == CONNECTION_STATE_DOWN:
        raise typer.Exit(1)


async def _delete(name: str, workspace: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        there = name in {it.name async for it in client.list_connections(where)}
        await client.delete_connection(where, name)
    aside(f"{in_a_line(name)} is removed." if there else f"There was none named {in_a_line(name)}.")


def _tell(it: "Connection", json: bool) -> None:
    from antiphon_server.cli.connection_states import advice_of, state_of
    from antiphon_server.cli.encoding import as_dict

    if json:
        print_json(as_dict(it))
    else:
        say(f"{in_a_line(it.name)} is {state_of(it.status)}, {it.status.tools} tools")
    if advice := advice_of(it):
        aside(advice)


def _target(it: "Connection") -> tuple[str, str]:
    """Which kind it is, and where it leads to."""
    match it.WhichOneof("target"):
        case "mcp":
            return "mcp", it.mcp.url
        case "mcp_program":
            return "program", it.mcp_program.program
        case "openapi":
            return "openapi", it.openapi.url
        case "web_socket":
            return "websocket", it.web_socket.url
        case "grpc":
            return "grpc", it.grpc.address
    return "?", ""
