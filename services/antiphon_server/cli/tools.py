"""``antiphon tools``."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say, shortened
from antiphon_server.cli.money import PRICES, money_in_words, money_of
from antiphon_server.cli.options import Address, DataDir, Json, Name
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.model_pb2 import Money

_ABOUT = """List the tools that models can ask for, say whether they may be called, call them.

A tool belongs to a source: `antiphon` is built in. A conversation has none until somebody names
them: `antiphon chat --tool antiphon.time`. Built-in tools are called without asking anybody; each
call of another one waits until a member of the conversation approves it, unless you say otherwise.

For example:

- `antiphon tools`
- `antiphon tools call antiphon.time --arguments '{"zone": "Europe/Zurich"}'`
- `antiphon tools ask antiphon.search`
- `antiphon tools never antiphon.search`
- `antiphon tools price antiphon.search "0.01 USD"`
- `antiphon tools show antiphon.time`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
Query = Annotated[
    str, typer.Option("--query", "-q", metavar="WORDS", help="Those that have all the words.")
]
_HEADINGS = ("tool", "rule", "state", "what it does")
_LONGEST = 60


@app.callback()
def tools(
    context: typer.Context,
    query: Query = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(query, workspace, json, at, data_dir))


@app.command("list")
def list_tools(
    query: Query = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List the tools of a workspace, with what holds for each.

    For example:

    - `antiphon tools list --query time`
    """
    run_at(address, data_dir, lambda at: _list(query, workspace, json, at, data_dir))


@app.command()
def always(
    tool: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Have a tool called without asking anybody; for admins of the workspace.

    For example:

    - `antiphon tools always antiphon.time`
    """
    run_at(address, data_dir, lambda at: _rule(tool, "ALWAYS", workspace, at, data_dir))


@app.command()
def ask(tool: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None) -> None:
    """Have each call of a tool wait until a member approves it; for admins of the workspace.

    For example:

    - `antiphon tools ask antiphon.search`
    """
    run_at(address, data_dir, lambda at: _rule(tool, "ASK", workspace, at, data_dir))


@app.command()
def never(
    tool: Name, workspace: Where = "", address: Address = "", data_dir: DataDir = None
) -> None:
    """Keep a tool from being called at all; for admins of the workspace.

    For example:

    - `antiphon tools never antiphon.search`
    """
    run_at(address, data_dir, lambda at: _rule(tool, "NEVER", workspace, at, data_dir))


@app.command()
def price(
    tool: Name,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help='What a call costs: "0.01 USD", or 0.')
    ],
    workspace: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say what each call of a tool costs, by which budgets count it; for admins.

    For example:

    - `antiphon tools price antiphon.search "0.01 USD"`
    - `antiphon tools price antiphon.search 0`
    """
    cost = money_of(amount, PRICES) if amount != "0" else None
    run_at(address, data_dir, lambda at: _price(tool, cost, workspace, at, data_dir))


@app.command()
def show(
    tool: Name,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show all that a tool says of itself; of one that is held, what has changed.

    For example:

    - `antiphon tools show antiphon.time`
    """
    run_at(address, data_dir, lambda at: _show(tool, workspace, json, at, data_dir))


@app.command()
def approve(
    tool: Name,
    workspace: Where = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take a tool that is held as it is now; for admins of the workspace.

    It shows what has changed and asks. What changes after that stays held.

    For example:

    - `antiphon tools approve antiphon.time`
    """
    run_at(address, data_dir, lambda at: _approve(tool, workspace, yes, at, data_dir))


@app.command()
def result(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Where the tool was called: conv_…")
    ],
    call: Annotated[str, typer.Argument(metavar="CALL", help="The call: tool_…")],
    part: Annotated[int, typer.Option("--part", min=0, max=31, help="Counted from 0.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A new file for it.")
    ] = None,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Print all of a result that was too long to be told whole, or write it into a file.

    For example:

    - `antiphon tools result conv_… tool_…`
    - `antiphon tools result conv_… tool_… --part 1 --output picture.png`
    """
    run_at(address, data_dir, lambda at: _result(conversation, call, part, output, at, data_dir))


@app.command()
def call(
    tool: Name,
    arguments: Annotated[
        str, typer.Option("--arguments", metavar="JSON", help="A JSON object.")
    ] = "{}",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Call a tool and print its result; Ctrl-C stops the call.

    For example:

    - `antiphon tools call antiphon.time`
    - `antiphon tools call antiphon.time --arguments '{"zone": "Asia/Tokyo"}'`
    """
    run_at(address, data_dir, lambda at: _call(tool, arguments, workspace, json, at, data_dir))


async def _list(query: str, workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.integration.v1.tool_pb2 import ToolRule, ToolState
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.kinds import name_of
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for it in client.list_tools(await workspace_of(client, workspace), query):
            if json:
                print_json(as_dict(it))
                continue
            rows.append(
                (
                    in_a_line(it.name),
                    name_of(ToolRule, "TOOL_RULE_", it.rule),
                    name_of(ToolState, "TOOL_STATE_", it.state),
                    shortened(it.description, _LONGEST),
                )
            )
    if rows:
        print_table(_HEADINGS, rows)
    elif not json:
        say("There are none.", err=True)


async def _rule(tool: str, rule: str, workspace: str, address: str, data_dir: DataDir) -> None:
    from antiphon.integration.v1.tool_pb2 import ToolRule
    from antiphon_server.cli.connect import client_for

    if "*" in tool:
        fail(f"a rule is of one tool: name each, as `antiphon tools list` does, not {tool}", 2)
    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        await client.set_tool_rule(where, tool, ToolRule.Value(f"TOOL_RULE_{rule}"))
    aside(f"{in_a_line(tool)}: {rule.lower()}")


async def _price(
    tool: str, cost: "Money | None", workspace: str, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        await client.set_tool_price(where, tool, cost)
    told = f"costs {money_in_words(cost)} a call" if cost else "costs nothing"
    aside(f"{in_a_line(tool)} {told}")


async def _show(tool: str, workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.tool_definitions import shown

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        now, before = await client.compare_tool(where, tool)
    if json:
        print_json({"tool": as_dict(now)} | ({"pinned": as_dict(before)} if before else {}))
    else:
        say("\n".join(shown(now, before)))


async def _approve(tool: str, workspace: str, yes: bool, address: str, data_dir: DataDir) -> None:
    from antiphon.integration.v1.tool_pb2 import TOOL_STATE_HELD
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.tool_definitions import shown

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        now, before = await client.compare_tool(where, tool)
        if now.state != TOOL_STATE_HELD:
            aside(
                f"{in_a_line(tool)} is not held: there is nothing to approve of it. Calls of it "
                "that wait are listed by `antiphon calls`."
            )
            return
        say("\n".join(shown(now, before)), err=True)
        if not yes and not await asyncio.to_thread(typer.confirm, "Approve it?", err=True):
            raise typer.Exit(1)
        await client.approve_tool(where, now)
    aside(f"{in_a_line(tool)}: approved")


async def _call(
    tool: str, arguments: str, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_client import text_of
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    decoded = _decoded(arguments)
    async with client_for(address, data_dir) as client:
        result = await client.call_tool(await workspace_of(client, workspace), tool, decoded)
    if json:
        print_json(as_dict(result))
    else:
        say(text_of(result.parts))
    if result.failed:
        fail("the tool says that it could not do it", 1)


async def _result(
    conversation: str, call: str, part: int, output: Path | None, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.tool_results import show_result

    async with client_for(address, data_dir) as client:
        await show_result(client, conversation, call, part, output)


def _decoded(arguments: str) -> dict[str, object]:
    import json

    try:
        decoded = json.loads(arguments)
    except ValueError as error:
        fail(f"--arguments is no JSON: {error}", 2)
    if not isinstance(decoded, dict):
        fail('--arguments is a JSON object, such as \'{"zone": "UTC"}\'', 2)
    return decoded
