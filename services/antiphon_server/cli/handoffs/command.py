"""``antiphon handoffs``."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, say
from antiphon_server.cli.handoffs.asking import ask
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.handoff_pb2 import QueuedHandoff
    from antiphon.dispatcher.v1.turn_pb2 import Turn
    from antiphon.events.v1.handoff_pb2 import Handoff
    from antiphon_client import Client

_ABOUT = """The queue of turns that wait for people: see them, claim one, answer it.

A turn waits here when its handler is `people`, or a handler or a person has handed it off. Members
of its conversation may take it, and admins of the workspace; guests may not.

For example:

- `antiphon handoffs`
- `antiphon handoffs show hand_…`
- `antiphon handoffs claim hand_…`
- `antiphon handoffs answer hand_… "Your refund is on its way."`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
app.command("ask")(ask)
Which = Annotated[str, typer.Argument(metavar="ID", help="Which, as `list` shows it: hand_…")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why; it stands in the log.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay, and list again what has changed.")]


@app.callback()
def handoffs(
    context: typer.Context,
    workspace: Where = "",
    watch: Watch = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(workspace, watch, json, at, data_dir))


@app.command("list")
def list_handoffs(
    workspace: Where = "",
    watch: Watch = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List what waits and you may take, what has waited longest first.

    For example:

    - `antiphon handoffs list`
    - `antiphon handoffs list --watch`
    """
    run_at(address, data_dir, lambda at: _list(workspace, watch, json, at, data_dir))


@app.command()
def show(
    handoff: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show why it waits, what becomes of it, and what was said last in its conversation.

    For example:

    - `antiphon handoffs show hand_…`
    """

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        from antiphon_server.cli.handoffs.showing import show_whole

        await show_whole(client, queued, json)

    _with(handoff, workspace, address, data_dir, work)


@app.command()
def claim(
    handoff: Which,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="From who is at it; for admins.")
    ] = False,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say that you are at it: others see that, and can't answer it meanwhile.

    For example:

    - `antiphon handoffs claim hand_…`
    """

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        it = await client.claim_handoff(queued.conversation_id, handoff, take_over=take_over)
        _told(it, json, "claimed; `antiphon handoffs answer` answers it")

    _with(handoff, workspace, address, data_dir, work)


@app.command()
def release(
    handoff: Which,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Give it back to the queue.

    For example:

    - `antiphon handoffs release hand_…`
    """

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        it = await client.release_handoff(queued.conversation_id, handoff)
        _told(it, json, "released")

    _with(handoff, workspace, address, data_dir, work)


@app.command()
def answer(
    handoff: Which,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you say; - reads it.")],
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Answer it in your name; the turn ends by that. It need not be claimed before.

    For example:

    - `antiphon handoffs answer hand_… "Your refund is on its way."`
    - `antiphon handoffs answer hand_… - < answer.md`
    """
    said = typer.get_text_stream("stdin").read().strip() if text == "-" else text

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        turn = await client.answer_handoff(queued.conversation_id, handoff, said)
        _told(turn, json, "answered")

    _with(handoff, workspace, address, data_dir, work)


@app.command("return")
def return_(
    handoff: Which,
    handler: Annotated[
        str, typer.Option("--handler", metavar="NAME", help="To whom; else who handed it off.")
    ] = "",
    note: Note = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Give the turn to a handler, which goes on behind what was said.

    For example:

    - `antiphon handoffs return hand_… --handler assistant`
    """

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        turn = await client.return_handoff(queued.conversation_id, handoff, handler, note)
        _told(turn, json, f"returned to {turn.handler}")

    _with(handoff, workspace, address, data_dir, work)


@app.command()
def decline(
    handoff: Which,
    note: Note = "",
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say that nobody will: what was declared for when it expires happens now.

    For example:

    - `antiphon handoffs decline hand_… --note "not for us"`
    """

    async def work(client: "Client", queued: "QueuedHandoff") -> None:
        turn = await client.decline_handoff(queued.conversation_id, handoff, note)
        _told(turn, json, "declined")

    _with(handoff, workspace, address, data_dir, work)


def _with(
    handoff: str,
    workspace: str,
    address: str,
    data_dir: DataDir,
    work: "Callable[[Client, QueuedHandoff], Awaitable[None]]",
) -> None:
    async def found(at: str) -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.handoffs.showing import queued_of

        async with client_for(at, data_dir) as client:
            await work(client, await queued_of(client, workspace, handoff))

    run_at(address, data_dir, found)


def _told(it: "Handoff | Turn", json: bool, sentence: str) -> None:
    from antiphon_server.cli.console import print_json
    from antiphon_server.cli.encoding import as_dict

    if json:
        print_json(as_dict(it))
    else:
        aside(sentence)


async def _list(workspace: str, watch: bool, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.handoffs.showing import changes, print_queue, queue
    from antiphon_server.cli.which_workspace import workspace_of

    async with client_for(address, data_dir) as client:
        where = await workspace_of(client, workspace)
        found = await queue(client, where)
        print_queue(found, json)
        if not watch:
            if not found and not json:
                say("None waits.", err=True)
            return
        async for _ in changes(client, where):
            if not json:
                say("")
            print_queue(await queue(client, where), json)
