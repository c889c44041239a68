"""``antiphon erase``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at

if TYPE_CHECKING:
    from antiphon.context.v1.erasure_service_pb2 import ErasureProgress

_ABOUT = """Take away what was said, for good: some messages, a conversation, a workspace, a person.

For example:

- `antiphon erase messages conv_… msg_…`
- `antiphon erase conversation conv_…`
- `antiphon erase workspace ws_…`
- `antiphon erase person user_…`
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether I mean it.")]


@app.command()
def messages(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Where it was said: conv_….")
    ],
    those: Annotated[
        list[str], typer.Argument(metavar="MESSAGES…", help="What was said: msg_…, at most 100.")
    ],
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Erase what was answered to them, too."),
    ] = False,
    yes: Yes = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take away what messages said, for good.

    They stay in their places, with who said them and when, and say nothing any more. What else was
    kept of their turns goes, too: calls of tools and their results, questions, texts of hand-offs,
    and what was remembered of them. Backups, and what others were given, are not reached.

    For example:

    - `antiphon erase messages conv_… msg_…`
    - `antiphon erase messages conv_… msg_… msg_… --answers --yes`
    """
    if not yes:
        what = "1 message" if len(those) == 1 else f"{len(those)} messages"
        typer.confirm(f"Erase what {what} said? Nobody can bring it back.", abort=True)
    run_at(
        address,
        data_dir,
        lambda at: _erase(conversation, those, answers, json, at, data_dir),
    )


async def _erase(
    conversation: str,
    messages: list[str],
    answers: bool,
    json: bool,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        erased = await client.erase_messages(conversation, messages, answers=answers)
    if json:
        print_json({"message_ids": list(erased)})
        return
    for message_id in erased:
        say(in_a_line(message_id))
    aside(f"{len(erased)} erased.")


@app.command()
def conversation(
    which: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Which: conv_…, for its managers.")
    ],
    yes: Yes = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take away all that was said in a conversation, with its title, whiteboard and memories.

    It stays as an archived one without a name, in which nobody writes any more.

    For example:

    - `antiphon erase conversation conv_…`
    """
    if not yes:
        typer.confirm("Erase all that was said there? Nobody can bring it back.", abort=True)
    run_at(address, data_dir, lambda at: _whole("conversation", which, json, at, data_dir))


@app.command()
def workspace(
    which: Annotated[str, typer.Argument(metavar="WORKSPACE", help="Which: ws_…, for its owner.")],
    yes: Yes = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take away all that was said in a workspace: its conversations, its name and its memories.

    It stays as an archived one without a name, with its members, and what it was set up with.

    For example:

    - `antiphon erase workspace ws_…`
    """
    if not yes:
        typer.confirm("Erase all of its conversations? Nobody can bring them back.", abort=True)
    run_at(address, data_dir, lambda at: _whole("workspace", which, json, at, data_dir))


@app.command()
def person(
    which: Annotated[
        str,
        typer.Argument(metavar="USER", help="Who: user_…; operators may name others."),
    ],
    yes: Yes = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take away all that somebody has said, with the answers to it, and what is known of them.

    That is what is remembered of them, and their profile, in every workspace. Their account stays.
    `antiphon export person` gives them a copy before.

    For example:

    - `antiphon erase person user_…`
    """
    if not yes:
        typer.confirm("Erase all that they have said? Nobody can bring it back.", abort=True)
    run_at(address, data_dir, lambda at: _whole("person", which, json, at, data_dir))


async def _whole(kind: str, which: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        ask = {
            "conversation": client.erase_conversation,
            "workspace": client.erase_workspace,
            "person": client.erase_person,
        }[kind]
        done = await client.erasure_done(ask, which, _tell)
    if json:
        print_json({"resource": done.resource, "erased_messages": done.erased_messages})
        return
    aside(f"{done.erased_messages:,} erased.")


def _tell(progress: "ErasureProgress") -> None:
    """Say how far it is, and what it waits for."""
    if progress.waiting_turn_id:
        aside(f"· waiting for the end of {progress.waiting_turn_id}")
    else:
        left = progress.left_conversations
        more = f"; conversations left: {left:,}" if left else ""
        aside(f"· {progress.erased_messages:,} messages so far{more}")
