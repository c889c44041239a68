"""``antiphon context``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, fail, in_a_line, print_json, say
from antiphon_server.cli.counts import counted
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.written import id_of

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.turn_pb2 import Turn
    from antiphon.memory.v1.assembly_service_pb2 import ContextItem, ExplainContextResponse
    from antiphon.memory.v1.summary_pb2 import Summary
    from antiphon_client import Client

_ABOUT = """Show what a model was shown of a conversation, and what it wasn't.

A model has room for so much. The newest messages come first, and beside them stand the whiteboard
and what is remembered; where older messages have to be left out, those of them are recalled that
matter to what was asked.

For example:

- `antiphon context explain conv_…` (of its newest turn)
- `antiphon context explain conv_… turn_… --json`
- `antiphon context summaries conv_…`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def context() -> None:
    """See the help of the group."""


@app.command()
def explain(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="As `antiphon conversations` shows it.")
    ],
    turn: Annotated[
        str, typer.Argument(metavar="[TURN]", help="Which turn; else the newest.")
    ] = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say what a turn's model was shown, message by message, and why."""
    id_of(conversation, "conv", "CONVERSATION")
    id_of(turn, "turn", "TURN")
    run_at(address, data_dir, lambda at: _explain(conversation, turn, json, at, data_dir))


@app.command()
def summaries(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="As `antiphon conversations` shows it.")
    ],
    level: Annotated[
        int | None,
        typer.Option("--level", min=0, max=30, help="0: of messages, 1: of summaries of those, …"),
    ] = None,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show what a long conversation was summarised as, for prompts that lack the room.

    For example:

    - `antiphon context summaries conv_…`
    - `antiphon context summaries conv_… --level 1 --json`
    """
    run_at(address, data_dir, lambda at: _summaries(conversation, level, json, at, data_dir))


async def _summaries(
    conversation: str, level: int | None, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    found = 0
    async with client_for(address, data_dir) as client:
        async for it in client.list_summaries(conversation, level):
            found += 1
            if json:
                print_json(as_dict(it))
            else:
                _show_summary(it)
    if not found and not json:
        aside("Nothing is summarised: all that was said has had room, or it is still to be done.")


def _show_summary(it: "Summary") -> None:
    from antiphon_server.cli.encoding import local_time

    by = f" by {it.model}" if it.model else ""
    when = f"{local_time(it.first_time)} to {local_time(it.last_time)}"
    say(in_a_line(f"{it.level}.{it.number} {counted(it.messages, 'message')}, {when}{by}"))
    for line in it.people:
        say(in_a_line(f"    {line.author_name or 'people'}: {line.text}"))
    for line in it.assistants:
        say(in_a_line(f"    {line.author.removeprefix('handlers/') or 'assistants'}: {line.text}"))


async def _explain(
    conversation: str, turn: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        found, stored = await _found(client, conversation, turn)
        me = (await client.who_am_i()).user.user_id
    if json:
        print_json(as_dict(found))
    else:
        _show(stored.turn_id, found, me)
        _show_untold(found, stored)


async def _found(
    client: "Client", conversation: str, turn: str
) -> "tuple[ExplainContextResponse, Turn]":
    """What a turn was shown, and the turn; the newest one's where none is named."""
    from antiphon_client import NotFound

    which = turn or await _newest(client, conversation)
    try:
        found = await client.explain_context(conversation, which)
    except NotFound:
        if turn:
            raise
        raise CommandError(
            "there is nothing to explain: no model was shown anything for its newest turn, or that"
            " is longer than 30 days ago, or what was said there was erased"
        ) from None
    return found, await client.get_turn(conversation, which)


async def _newest(client: "Client", conversation: str) -> str:
    turns = client.list_turns(conversation)
    newest = await anext(turns, None)
    await turns.aclose()
    if newest is None:
        fail("nobody has asked for anything there yet")
    return newest.turn_id


def _show(turn: str, found: "ExplainContextResponse", me: str) -> None:
    from antiphon_server.cli.encoding import local_time

    newest = found.newest
    say(in_a_line(f"{turn}, put together {local_time(found.create_time)}"))
    since = f", from {local_time(newest.first_time)} on" if newest.count else ""
    what = "message" if newest.count == 1 else f"{newest.count} messages"
    say(f"the newest {what}{since}: {newest.tokens} of {found.max_tokens} tokens")
    for item in found.items:
        _show_item(item, me)
    if newest.omitted_messages:
        kept = sum(1 for it in found.items if it.HasField("message"))
        older = newest.omitted_messages - kept
        aside(f"{counted(older, 'older message')} {'was' if older == 1 else 'were'} left out.")
    for it in found.left_out:
        aside(in_a_line(f"Left out{f' ({it.count})' if it.count else ''}: {it.reason}."))


def _show_untold(found: "ExplainContextResponse", turn: "Turn") -> None:
    """What of it the model that answered had no room for."""
    without = turn.omitted_messages - found.newest.omitted_messages
    model = in_a_line(turn.model or "the model")
    if without > 0:
        aside(f"Of these messages {model} had no room for the oldest {without}.")
    if turn.omitted_texts:
        aside(f"Of what stands beside them it had no room for {turn.omitted_texts} of the kinds.")


_IN_LINES = ("whiteboard_section", "summary", "profile")


def _show_item(item: "ContextItem", me: str) -> None:
    scored = f", score {item.score:.2f}" if item.parts else ""
    say(in_a_line(f"{_source(item, me)}, {item.tokens} tokens{scored}: {item.reason}"))
    lines = item.text.splitlines() if item.WhichOneof("source") in _IN_LINES else [item.text]
    for line in lines or [""]:
        say(f"    {in_a_line(line) or '(erased, or not for you to read)'}")


def _source(item: "ContextItem", me: str) -> str:
    """What it is of, in words for whoever is called so."""
    from antiphon.memory.v1.memory_pb2 import MemoryKind
    from antiphon_server.cli.encoding import local_time
    from antiphon_server.cli.kinds import name_of

    match item.WhichOneof("source"):
        case "message":
            said = item.message
            who = said.author_name or said.author.removeprefix("handlers/")
            return f"recalled: {who}, {local_time(said.create_time)}"
        case "memory":
            kept = item.memory
            whose = "yours" if kept.scope == f"users/{me}" else kept.scope
            what = f"{name_of(MemoryKind, 'MEMORY_KIND_', kept.kind)} of {whose}"
            return f"remembered: {what}, {local_time(kept.time)}"
        case "whiteboard_section":
            section = item.whiteboard_section
            cut = ", shortened" if section.shortened else ""
            return f"whiteboard: {section.name}, version {section.version}{cut}"
        case "profile":
            who = "you" if item.profile.user_id == me else item.profile.user_id
            return f"who asks: {who}, {local_time(item.profile.time)}"
        case "summary":
            of = item.summary
            return f"summary {of.level}.{of.number}, {counted(of.messages, 'message')}"
        case _:
            return "something that a newer server knows"
