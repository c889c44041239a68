"""``antiphon calls``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at

if TYPE_CHECKING:
    from antiphon_client import Client
    from antiphon_server.cli.waiting_calls import WaitingCall

_ABOUT = """List the calls of tools that wait for a person, approve them, deny them.

Any member of a conversation who may write there decides. The first decision counts; its turn goes
on by itself, and `antiphon chat --conversation conv_…` shows what came of it.

For example:

- `antiphon calls`
- `antiphon calls approve conv_… tool_…`
- `antiphon calls deny conv_… tool_… --why "use the other account"`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
_MOST = 50
In = Annotated[
    str,
    typer.Option(
        "--conversation",
        "-c",
        metavar="ID",
        help=f"Those of one; else of the {_MOST} of yours in which something was said last.",
    ),
]
Where = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Where it waits: conv_…")]
Which = Annotated[str, typer.Argument(metavar="CALL", help="The call, as `list` shows it: tool_…")]


@app.callback()
def calls(
    context: typer.Context,
    conversation: In = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(conversation, json, at, data_dir))


@app.command("list")
def list_calls(
    conversation: In = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the calls that wait, with all of their arguments.

    For example:

    - `antiphon calls list`
    - `antiphon calls list --conversation conv_…`
    """
    run_at(address, data_dir, lambda at: _list(conversation, json, at, data_dir))


@app.command()
def approve(
    conversation: Where, call: Which, address: Address = "", data_dir: DataDir = None
) -> None:
    """Have a call made that waits.

    For example:

    - `antiphon calls approve conv_… tool_…`
    """
    run_at(address, data_dir, lambda at: _decide(conversation, call, True, "", at, data_dir))


@app.command()
def deny(
    conversation: Where,
    call: Which,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The model is told.")] = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Keep a call that waits from being made; the model goes on without its result.

    For example:

    - `antiphon calls deny conv_… tool_…`
    - `antiphon calls deny conv_… tool_… --why "use the other account"`
    """
    run_at(address, data_dir, lambda at: _decide(conversation, call, False, why, at, data_dir))


async def _list(conversation: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.waiting_calls import waiting_in

    found = []
    async with client_for(address, data_dir) as client:
        for where in [conversation] if conversation else await _newest(client):
            found += await waiting_in(client, where)
    for one in found:
        _show(one, json)
    if json:
        return
    if found:
        aside("`antiphon calls approve CONVERSATION CALL` has one made; `deny` does not.")
    else:
        say("None waits.", err=True)


async def _newest(client: "Client") -> list[str]:
    """The conversations in which a call may wait, those first in which something was said last."""
    from antiphon.context.v1.context_service_pb2 import CONVERSATION_ORDER_LAST_ACTIVITY
    from antiphon_server.cli.waiting_calls import waits

    found: list[str] = []
    async for each in client.list_conversations(order=CONVERSATION_ORDER_LAST_ACTIVITY):
        found.append(each.conversation_id)
        if len(found) == _MOST:
            break
    return [it for it in found if await waits(client, it)]


def _show(one: "WaitingCall", json: bool) -> None:
    from antiphon_server.cli.chat.tool_calls import whole_call
    from antiphon_server.cli.encoding import as_dict

    if json:
        where = {"conversation_id": one.conversation_id, "turn_id": one.turn_id}
        print_json(where | as_dict(one.proposed))
        return
    say(f"{one.conversation_id} {in_a_line(one.proposed.tool_call_id)}")
    say("\n".join(whole_call(one.proposed)))


async def _decide(
    conversation: str, call: str, approved: bool, why: str, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.chat.tool_calls import whole_call
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.waiting_calls import asked_call

    async with client_for(address, data_dir) as client:
        asked = await asked_call(client, conversation, call)
        if asked is None:
            fail("no such call was to be decided there; `antiphon calls` lists those that wait")
        say("\n".join(whole_call(asked.proposed)), err=True)
        decided = await client.decide_tool_call(
            conversation, asked.turn_id, asked.proposed, approve=approved, reason=why
        )
    verb = "approved" if decided.approved else "denied"
    if decided.approved != approved:
        fail(f"it was {verb} before, by {decided.decided_by}")
    aside(f"{in_a_line(asked.proposed.tool)}: {verb}")
