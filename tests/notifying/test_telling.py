"""What is to be told is told once somebody can be, whatever is away in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.dispatcher.adapters.tables import metadata
from antiphon_server.notifying.adapters.notes import note_of_end
from antiphon_server.notifying.adapters.rows import Sealing
from antiphon_server.notifying.adapters.sql_notes import SqlNotes
from antiphon_server.notifying.model import Note
from antiphon_server.notifying.telling import AGE_US, BATCH, Telling
from antiphon_server.runtime.errors import DomainError, Reason
from tests.contract.test_webhook_store import turn
from tests.fakes.databases import opened_sqlite

PATIENCE_S = 10.0
KEPT_US = 1_000_000


class Away(SqlNotes):
    """Notes in a store that is away as often as it is told to be."""

    away = 0

    async def left(self, before_us: int, limit: int) -> Sequence[Note]:
        if self.away:
            self.away -= 1
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().left(before_us, limit)


@dataclass
class Users:
    """Hear what they are told, but for a reason."""

    why: Reason | Exception | None = None
    heard: list[str] = field(default_factory=list)
    some: asyncio.Event = field(default_factory=asyncio.Event)

    async def tell(self, note: Note) -> None:
        if isinstance(self.why, Exception):
            raise self.why
        if self.why is not None:
            raise DomainError(self.why)
        self.heard.append(note.notification_id)
        self.some.set()


@dataclass
class Stage:
    """A server that tells, whose clock stands still."""

    notes: Away
    users: Users = field(default_factory=Users)
    now_us: int = KEPT_US + AGE_US + 1
    woken: int = 0

    def __post_init__(self) -> None:
        self.telling = Telling(self.notes, self.users, self._wake, lambda: self.now_us)

    def _wake(self) -> None:
        self.woken += 1

    async def keep(self, *numbers: int) -> list[Note]:
        """Ends of turns that are to be told."""
        kept = [replace(note_of_end(turn(it)), created_us=KEPT_US) for it in numbers]
        for note in kept:
            await self.notes.add(note)
        return kept

    async def left(self) -> int:
        """How many wait."""
        return len(await self.notes.left(self.now_us, 1000))


@pytest.fixture
async def it() -> AsyncIterator[Stage]:
    async with opened_sqlite(metadata) as database:
        yield Stage(Away(database, Sealing(MasterSecret(b"s" * 32)), lambda url: url))


async def test_what_was_left_is_told_at_once_though_the_store_is_away_at_first(it: Stage) -> None:
    (note,) = await it.keep(1)
    it.notes.away, it.now_us = 1, KEPT_US + 1
    telling = asyncio.ensure_future(it.telling.run_left())
    async with asyncio.timeout(PATIENCE_S):
        await it.users.some.wait()
    telling.cancel()
    await asyncio.wait({telling})
    assert it.users.heard == [note.notification_id]


async def test_what_is_young_is_left_to_who_has_it(it: Stage) -> None:
    await it.telling.look()
    await it.keep(1)
    it.now_us = KEPT_US + AGE_US
    await it.telling.look()
    assert it.users.heard == []
    it.now_us += 1
    await it.telling.look()
    assert (len(it.users.heard), await it.left(), it.woken) == (1, 0, 0)


async def test_more_than_a_batch_is_told_once_each(it: Stage) -> None:
    it.telling.take(await it.keep(*range(1, BATCH + 3)))
    await it.telling.tell_held()
    assert len(it.users.heard) == len(set(it.users.heard)) == BATCH + 2
    assert await it.left() == 0


@pytest.mark.parametrize("why", [Reason.STORE_UNAVAILABLE, Reason.POLICY_UNAVAILABLE, KeyError()])
async def test_who_can_not_be_told_now_is_told_later(it: Stage, why: Reason | Exception) -> None:
    it.telling.take(await it.keep(1))
    it.users.why = why
    await it.telling.tell_held()
    assert await it.left() == 1
    it.users.why = None
    await it.telling.look()
    assert (len(it.users.heard), await it.left()) == (1, 0)


async def test_who_can_never_be_told_is_not_tried_again(it: Stage) -> None:
    it.telling.take(await it.keep(1))
    it.users.why = Reason.NOT_FOUND
    await it.telling.tell_held()
    assert await it.left() == 0
