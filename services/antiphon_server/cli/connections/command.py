"""The commands of ``antiphon connections``."""

import typer

from antiphon_server.cli.connections.add import add
from antiphon_server.cli.connections.allow import allow
from antiphon_server.cli.connections.authorize import authorize
from antiphon_server.cli.connections.change import delete, disable, enable
from antiphon_server.cli.connections.forward import forward
from antiphon_server.cli.connections.listing import list_connections, listed
from antiphon_server.cli.connections.open import open_relay
from antiphon_server.cli.connections.pause import pause, resume
from antiphon_server.cli.connections.probe import probe
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where

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
- `antiphon connections pause wiki`
- `antiphon connections delete wiki`
- `antiphon connections allow wiki.example`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)


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
        run_at(address, data_dir, lambda at: listed(workspace, json, at, data_dir))


app.command("list")(list_connections)
app.command()(add)
app.command()(authorize)
app.command("test")(probe)
app.command()(forward)
app.command("open")(open_relay)
app.command()(disable)
app.command()(enable)
app.command()(pause)
app.command()(resume)
app.command()(delete)
app.command()(allow)
