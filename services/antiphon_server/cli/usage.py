"""``antiphon usage``."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import fail, print_json, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.model_pb2 import SkippedModel
    from antiphon.integration.v1.spending_pb2 import Spending
    from antiphon_client.client import Client

_DAYS = 30
_MOST_DAYS = 399
"""One less than a server sums: where clocks are set back, a day has 25 hours."""
_FIRST_YEAR, _LAST_YEAR = 1971, 9997
"""Wherever their days begin and end, servers know the times."""


class Key(StrEnum):
    """What the rows have in common."""

    DAY = "day"
    MODEL = "model"
    USER = "user"
    CONVERSATION = "conversation"
    WORKSPACE = "workspace"
    KEY = "key"


def usage(
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar=f"[{'|'.join(Key)}]",
            help="What rows have in common; else the day. Several with commas, or repeated.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help=f"The first day, as 2026-11-01; else {_DAYS} days.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day; else today.")] = "",
    time_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Where days begin, as Europe/Berlin; else UTC.")
    ] = "",
    turn: Annotated[
        str,
        typer.Option(metavar="ID", help="Explain what that turn took, call by call."),
    ] = "",
    conversation: Annotated[
        str, typer.Option("--conversation", "-c", metavar="ID", help="Where the turn was.")
    ] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, with the same sums.")] = False,
    json: Json = False,
    workspace: Where = "",
    installation: Annotated[
        bool, typer.Option("--installation", help="Of all workspaces together, for operators.")
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show what calls of models and tools took: tokens and money, day by day.

    What is reserved is the most that calls may still take that run now, as far as a budget
    counts them.

    For example:

    - `antiphon usage`
    - `antiphon usage --by model --since 2026-11-01`
    - `antiphon usage --by day --by user --csv > usage.csv`
    - `antiphon usage --conversation conv_… --turn turn_…`
    """
    if csv and json:
        fail("--csv or --json: say which", 2)
    if turn:
        if not conversation:
            fail("a turn is known by its conversation, too: add --conversation conv_…", 2)
        run_at(address, data_dir, lambda at: _explain(conversation, turn, json, csv, at, data_dir))
        return
    if conversation:
        fail("--conversation goes with --turn; --by conversation tells them apart", 2)
    zone = _zone(time_zone)
    last = _date(until, "--until") or datetime.now(zone).date()
    first = _date(since, "--since") or last - timedelta(days=_DAYS - 1)
    if first > last:
        fail("--since is after --until" if until else "--since is in the future", 2)
    if last - first >= timedelta(days=_MOST_DAYS):
        fail(f"--since and --until are more than {_MOST_DAYS} days apart; ask for fewer at once", 2)
    shown = _Shown(_keys(by or [Key.DAY]), first, last, time_zone, zone, json, csv)
    run_at(address, data_dir, lambda at: _show(shown, workspace, installation, at, data_dir))


class _Shown:
    """What is to be shown, and how."""

    def __init__(
        self,
        by: tuple[Key, ...],
        first: date,
        last: date,
        time_zone: str,
        zone: tzinfo,
        json: bool,
        csv: bool,
    ) -> None:
        self.by, self.first, self.last = by, first, last
        self.time_zone, self.json, self.csv = time_zone, json, csv
        self.since = _begin(first, zone)
        self.until = _begin(last + timedelta(days=1), zone)


async def _show(
    shown: _Shown, workspace: str, installation: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli import usage_rows
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        found = await _groups(client, shown, workspace, installation)
    if shown.json:
        for it in found:
            print_json(as_dict(it))
    elif shown.csv:
        usage_rows.print_csv(found, shown.by)
    elif found:
        usage_rows.print_groups(found, shown.by, shown.first, shown.last)
    else:
        say("Nothing was called in that time.", err=True)


async def _groups(
    client: "Client", shown: _Shown, workspace: str, installation: bool
) -> Sequence["Spending"]:
    from antiphon.integration.v1 import spending_pb2 as pb
    from antiphon_client.budgets import INSTALLATION

    keys = {
        Key.DAY: pb.SPENDING_KEY_DAY,
        Key.MODEL: pb.SPENDING_KEY_TARGET,
        Key.USER: pb.SPENDING_KEY_USER,
        Key.CONVERSATION: pb.SPENDING_KEY_CONVERSATION,
        Key.WORKSPACE: pb.SPENDING_KEY_WORKSPACE,
        Key.KEY: pb.SPENDING_KEY_API_KEY,
    }
    parent = INSTALLATION if installation else await workspace_of(client, workspace)
    found = client.spending(
        parent,
        [keys[it] for it in shown.by],
        since=shown.since,
        until=shown.until,
        time_zone=shown.time_zone,
    )
    return [it async for it in found]


async def _explain(
    conversation: str, turn: str, json: bool, csv: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli import turn_costs
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        workspace = (await client.get_conversation(conversation)).workspace_id
        newest_first = client.calls_of_turn(workspace, conversation, turn)
        calls = [it async for it in newest_first][::-1]
        unasked = turn_costs.unasked(await _skipped(client, conversation, turn), calls)
    if json:
        for it in calls:
            print_json(as_dict(it))
        for one in unasked:
            print_json({"skipped_model": as_dict(one)})
    elif not calls and not unasked:
        say("Nothing was called for that turn.", err=True)
    elif csv:
        turn_costs.print_csv(calls, unasked)
    else:
        turn_costs.print_calls(calls, unasked)


async def _skipped(client: "Client", conversation: str, turn: str) -> Sequence["SkippedModel"]:
    """Whom the turn passed over; nobody, if there is no such turn."""
    from antiphon_client import AntiphonError

    try:
        return (await client.get_turn(conversation, turn)).skipped_models
    except AntiphonError as error:
        if error.code.name != "NOT_FOUND":
            raise
        return ()


def _keys(by: Sequence[str]) -> tuple[Key, ...]:
    """What is named, each once."""
    names = (name.strip().lower() for it in by for name in it.split(","))
    try:
        return tuple(dict.fromkeys(map(Key, filter(None, names)))) or (Key.DAY,)
    except ValueError as error:
        fail(f"--by: {str(error).partition(' is ')[0]} is none of {', '.join(Key)}", 2)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        fail(f'--time-zone: "{name}" is no time zone; write one as Europe/Berlin', 2)


def _date(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        fail(f'{option}: "{text}" is no date; write 2026-11-25', 2)
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        fail(f"{option}: write a day of the years {_FIRST_YEAR} to {_LAST_YEAR}", 2)
    return day


def _begin(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
