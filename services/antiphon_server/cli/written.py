"""What options and arguments say: IDs, people, days, words.

Who wrote something else is told which option it was, and how one is written: the server's refusal
names the contract's fields, which nobody has typed.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

from antiphon_server.cli.console import fail, in_a_line

if TYPE_CHECKING:
    from antiphon_client import Client

DAY = timedelta(days=1)
ME = "me"
"""Stands for whoever asks."""
_REST = "_[0-9A-Za-z_-]{8,64}"
_IDS = {
    "conv": ("conversation", "`antiphon conversations` lists yours"),
    "ws": ("workspace", "`antiphon workspaces` lists yours"),
    "mem": ("memory", "`antiphon memory list` shows yours"),
    "ent": ("entity", "`antiphon memory entities list` shows them"),
    "mnt": ("mention", "`antiphon memory entities show ent_…` has them"),
    "turn": ("turn", "without one it is the newest"),
}
_SCOPES = {"conv": "conversations/", "ws": "workspaces/", "user": "users/"}


def refuse(option: str, why: str) -> NoReturn:
    """End the command: what the option says can't be meant."""
    fail(f"{option}: {why}", 2)


def id_of(written: str, prefix: str, option: str) -> str:
    """An ID such as conv_…, as it is written; "" where none is."""
    if written and not re.fullmatch(prefix + _REST, written):
        what, who_knows = _IDS[prefix]
        refuse(option, f"{in_a_line(written)} is no {what}'s ID ({prefix}_…); {who_knows}")
    return written


def ids_of(written: Iterable[str] | None, prefix: str, option: str) -> list[str]:
    """IDs, each once."""
    return [id_of(it, prefix, option) for it in dict.fromkeys(written or ())]


async def scope_of(client: "Client", written: str, option: str = "--scope") -> str:
    """A scope by what is named: me, conv_…, ws_…, user_…, or a scope as it is; "" where none is."""
    if written == ME:
        return await _oneself(client)
    for prefix, collection in _SCOPES.items():
        if re.fullmatch(f"({collection})?{prefix}{_REST}", written):
            return collection + written.removeprefix(collection)
    if written:
        refuse(option, f"{in_a_line(written)} is no scope; write conv_… or ws_… as a whole, or me")
    return ""


async def user_of(client: "Client", written: str, option: str) -> str:
    """Somebody, by me or user_…; "" where nobody is named."""
    if written == ME:
        return await _oneself(client)
    name = written.removeprefix("users/")
    if written and not re.fullmatch(f"user{_REST}", name):
        refuse(
            option,
            f"{in_a_line(written)} is nobody's ID; write me, or user_… as a whole, as `antiphon"
            " whoami` says to whoever it is",
        )
    return written and f"users/{name}"


async def authors_of(client: "Client", written: Iterable[str] | None, option: str) -> list[str]:
    """Who speaks: me, user_… and handlers/…; each once."""
    found = [
        it if re.fullmatch("handlers/.+", it) else await _author_of(client, it, option)
        for it in written or ()
    ]
    return list(dict.fromkeys(found))


async def _author_of(client: "Client", written: str, option: str) -> str:
    if written != ME and not re.fullmatch(f"(users/)?user{_REST}", written):
        refuse(
            option,
            f"{in_a_line(written)} is nobody's ID; write me, user_… as a whole, or one like"
            " handlers/assistant",
        )
    return await user_of(client, written, option)


async def _oneself(client: "Client") -> str:
    return f"users/{(await client.who_am_i()).user.user_id}"


def time_of(written: str, option: str, later: timedelta = timedelta()) -> datetime | None:
    """When a day begins here, or so much later; or a time, as it is written. None where none is."""
    if not written:
        return None
    try:
        if len(written) == len("2026-11-01"):
            midnight = datetime.combine(date.fromisoformat(written), datetime.min.time())
            return (midnight + later).astimezone()
        return datetime.fromisoformat(written).astimezone()
    except (ValueError, OverflowError):
        refuse(option, f"{in_a_line(written)} is no date; write one like 2026-11-01")


def span_of(
    since: str, until: str, included: timedelta = timedelta()
) -> tuple[datetime | None, datetime | None]:
    """What --since and --until say; of the last day so much is part of it."""
    begin, end = time_of(since, "--since"), time_of(until, "--until", included)
    if begin and end and end <= begin:
        refuse("--until", f"{until} is not after --since {since}")
    return begin, end


def coming(written: str, option: str) -> datetime | None:
    """A time to come."""
    time = time_of(written, option)
    if time and time <= datetime.now(UTC):
        like = date.today() + 365 * DAY
        refuse(option, f"{in_a_line(written)} is past; write a day to come, like {like}")
    return time


def text_of(written: str, argument: str, like: str) -> str:
    """Words that say something."""
    if not written.strip():
        refuse(argument, f"nothing is written there; write something like {like}")
    return written
