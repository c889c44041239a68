"""``antiphon erase``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at


def erase(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Where it was said: conv_….")
    ],
    messages: Annotated[
        list[str], typer.Argument(metavar="MESSAGES…", help="What was said: msg_…, at most 100.")
    ],
    answers: Annotated[
        bool,
        typer.Option("--answers", help="Erase what was answered to them, too."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask whether I mean it.")] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take away what messages said, for good.

    They stay in their places, with who said them and when, and say nothing any more. What else was
    kept of their turns goes, too: calls of tools and their results, questions, texts of hand-offs.
    Backups, and what others were given, are not reached.

    For example:

    - `antiphon erase conv_… msg_…`
    - `antiphon erase conv_… msg_… msg_… --answers --yes`
    """
    if not yes:
        what = "1 message" if len(messages) == 1 else f"{len(messages)} messages"
        typer.confirm(f"Erase what {what} said? Nobody can bring it back.", abort=True)
    run_at(
        address,
        data_dir,
        lambda at: _erase(conversation, messages, answers, json, at, data_dir),
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
