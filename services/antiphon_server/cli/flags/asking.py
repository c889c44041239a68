"""Flags as they are asked for, and printed."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from antiphon.context.v1.anomaly_pb2 import Flag
from antiphon_client import Client
from antiphon_server.cli.accounts import Names, user_id_of
from antiphon_server.cli.console import print_json
from antiphon_server.cli.encoding import as_dict
from antiphon_server.cli.flags.words import HEADINGS, row_of
from antiphon_server.cli.table import print_table
from antiphon_server.cli.workers.options import asking_for, parent_of

LATE = timedelta(seconds=10)
_KINDS = ("users/", "sessions/", "conversations/", "workspaces/")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which flags: of a workspace's detectors or of all, of a subject or of all, so many."""

    workspace: str
    subject: str
    cleared: bool
    most: int

    async def newest(self, client: Client, since: datetime | None = None) -> Sequence[Flag]:
        """Them, those that changed last first; ``since``: what has changed after that."""
        flags: list[Flag] = []
        parent = parent_of(self.workspace)
        them = client.list_flags(
            parent, subject=self.subject, cleared=self.cleared, changed_after=since
        )
        async with aclosing(them):
            with asking_for(self.workspace):
                async for it in them:
                    flags.append(it)
                    if len(flags) == self.most:
                        break
        return flags


@dataclass
class Watched:
    """What is known of flags that are asked for again and again, also of those that were cleared.

    ``since`` is some seconds before the newest change: a flag may be committed behind its time.
    """

    wish: Wish
    since: datetime | None = None
    known: dict[str, int] = field(default_factory=dict)

    @classmethod
    async def from_now(cls, client: Client, wish: Wish) -> "Watched":
        """All that has changed so far is known."""
        watched = cls(replace(wish, cleared=True))
        await watched.news(client)
        return watched

    async def news(self, client: Client) -> Sequence[Flag]:
        """Those that have changed since the last time."""
        found = await self.wish.newest(client, self.since)
        changed = {it.flag_id: it.change_time.ToMicroseconds() for it in found}
        news = [it for it in found if self.known.get(it.flag_id) != changed[it.flag_id]]
        if found:
            newest = max(it.change_time.ToDatetime() for it in found)
            self.since, self.known = newest - LATE, changed
        return news


async def subject_of(client: Client, who: str) -> str:
    """Whom flags call so: a user who is named, or what says itself what it is."""
    if not who or who.startswith(_KINDS):
        return who
    return f"users/{await user_id_of(client, who)}"


async def of_whom(names: Names, flag: Flag) -> str:
    """Who or what was flagged; a user by name, where the caller may know it."""
    kind, _, which = flag.subject.partition("/")
    return (await names.of(which) if kind == "users" else "") or flag.subject


async def print_flags(found: Sequence[Flag], names: Names, json: bool) -> None:
    """All of them, in a table or as JSON."""
    if json:
        for it in found:
            print_json(as_dict(it))
    elif found:
        rows = [row_of(it, await of_whom(names, it)) for it in found]
        print_table(HEADINGS, rows, whole=True)
