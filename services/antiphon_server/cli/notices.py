"""``antiphon notices``."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.context.v1.notice_pb2 import Notice

_ABOUT = """Say something to everybody: that the server restarts at noon, that a model is away.

Whoever chats sees it, at the start of a chat and on the page.

For example:

- `antiphon notices publish "The server restarts at noon." --for 4h`
- `antiphon notices list`
- `antiphon notices withdraw ntc_…`
"""

app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = "%Y-%m-%d %H:%M"
_HEADINGS = ("notice", "until", "says")


@app.command()
def publish(
    text: Annotated[str, typer.Argument(help="What to say, in one line.")],
    live: Annotated[
        str,
        typer.Option("--for", metavar="TIME", help="How long it is in force: 30m, 4h, 2d; to 90d."),
    ] = "1d",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Tell everybody something until it expires; for operators.

    For example:

    - `antiphon notices publish "Back at 14:00." --for 2h`
    """
    run(_publish(text, _time(live), json, address, data_dir))


@app.command("list")
def list_notices(
    ended: Annotated[
        bool, typer.Option("--ended", help="Those that ended in the last 30 days, too.")
    ] = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List the notices in force, the newest first.

    For example:

    - `antiphon notices list`
    - `antiphon notices list --ended --json`
    """
    run(_list(ended, json, address, data_dir))


@app.command()
def withdraw(
    notice: Annotated[str, typer.Argument(metavar="ID", help="Which, as `list` shows it.")],
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """End a notice before it expires; for operators.

    For example:

    - `antiphon notices withdraw ntc_…`
    """
    run(_withdraw(notice, address, data_dir))


def _time(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,7})([smhd])", text)
    if match is None:
        fail(f"{text} is no time; write 30m, 4h or 2d", 2)
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


async def _publish(text: str, live: timedelta, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time

    async with client_for(address, data_dir) as client:
        made = await client.publish_notice(text, live)
    if json:
        print_json(as_dict(made))
    else:
        aside(f"{made.notice_id}: in force until {local_time(made.expire_time)}")


async def _list(ended: bool, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for found in client.list_notices(show_ended=ended):
            if json:
                print_json(as_dict(found))
            else:
                rows.append((found.notice_id, _until(found), in_a_line(found.text)))
    if rows:
        print_table(_HEADINGS, rows)
    elif not json:
        say("There are none.", err=True)


def _until(notice: "Notice") -> str:
    from antiphon_server.cli.encoding import local_time

    if notice.HasField("withdraw_time"):
        return f"withdrawn {local_time(notice.withdraw_time, _TIME)}"
    return local_time(notice.expire_time, _TIME)


async def _withdraw(notice: str, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        await client.withdraw_notice(notice)
    aside("withdrawn")
