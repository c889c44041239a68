"""When conversations of before were last active is filled in piece by piece, on each database."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.descriptor import context
from antiphon_server.context.ports import Records
from antiphon_server.context.service import activity
from antiphon_server.context.service.activity import Activities
from antiphon_server.context.service.directory import Directory
from antiphon_server.context.service.role_cache import Roles
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.migrations import migrate, remove
from tests.e2e.until import until_it
from tests.fakes.databases import KINDS, opened_database

T = TypeVar("T")
CONVERSATIONS = 25
PIECE = 4
TABLES = (("context_conversations", "activity_us"), ("context_members", "resource_activity_us"))


class Stopped(SqlStore):
    """A store that goes away for a moment after each third piece; ``most`` is what one changed."""

    pieces = most = 0

    async def write(self, work: Callable[[Records], T], *, short: bool = False) -> T:
        self.pieces += 1
        if self.pieces % 3 == 0:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        before = await unnoted(self._database)
        done = await super().write(work, short=short)
        self.most = max(self.most, before - await unnoted(self._database))
        return done


@pytest.fixture(params=KINDS)
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database of the version before; each other one of its conversations has messages."""
    for file in context().schema().versions.glob("000[123]*.py"):
        await asyncio.to_thread(shutil.copy, file, tmp_path)
    async with opened_database(request, tmp_path) as database:
        await database.write(lambda it: remove(it, "context", metadata))
        await migrate(database, "context", tmp_path)
        await database.write(_fill)
        yield database


def _fill(connection: Connection) -> None:
    made = text(
        "INSERT INTO context_conversations (conversation_id, workspace_id, title, turn_policy,"
        " models, instructions, create_us, version) VALUES (:id, 'ws_1', '', 1, '[]', '', :at, 1)"
    )
    member = text(
        "INSERT INTO context_members (resource, user_id, role, create_us, of_workspace,"
        " resource_create_us) VALUES (:id, :user, 1, 1, false, :at)"
    )
    said = text(
        "INSERT INTO context_messages (conversation_id, log_offset, message_id, role, author,"
        " turn_id, truncated, rolled_back, create_us, tokens, text_bytes, size_bytes,"
        " messages_so_far, tokens_so_far, content)"
        " VALUES (:id, :offset, 'm', 1, '', '', false, false, :at, 1, 1, 1, 1, 1, :content)"
    )
    for number in range(CONVERSATIONS):
        place = {"id": f"conv_{number:08}", "at": 1000 + number}
        connection.execute(made, place)
        for user in ("user_a", "user_b"):
            connection.execute(member, {**place, "user": user})
        for offset in (1, 2) if number % 2 else ():
            row = {**place, "offset": offset, "at": 5000 + number + offset, "content": b""}
            connection.execute(said, row)
    connection.execute(member, {"id": "ws_1", "user": "user_a", "at": 900})


async def unnoted(database: Database) -> int:
    """How many rows do not say when they were last active."""

    def count(connection: Connection) -> int:
        asked = (f"SELECT count(*) FROM {table} WHERE {column} = 0" for table, column in TABLES)
        return sum(int(connection.execute(text(it)).scalar_one()) for it in asked)

    return await database.read(count)


async def noted(database: Database) -> tuple[dict[str, int], set[tuple[str, int]]]:
    """What conversations and their members say."""

    def read(connection: Connection) -> tuple[dict[str, int], set[tuple[str, int]]]:
        named = text("SELECT conversation_id, activity_us FROM context_conversations")
        of_members = text("SELECT resource, resource_activity_us FROM context_members")
        return (
            {row[0]: row[1] for row in connection.execute(named)},
            {(row[0], row[1]) for row in connection.execute(of_members)},
        )

    return await database.read(read)


async def test_it_is_filled_in_by_pieces_and_gone_on_with(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No migration changes a whole table; what was interrupted is gone on with."""
    monkeypatch.setattr(activity, "MISSING_AT_ONCE", PIECE)
    await migrate(old, "context", *context().schema())
    rows = CONVERSATIONS * 3 + 1
    assert await unnoted(old) == rows
    first = SqlStore(old)
    assert await first.write(lambda r: r.conversations.note_missing(PIECE))
    assert await unnoted(old) == rows - PIECE  # and this process died
    store = Stopped(old)
    running = asyncio.create_task(Activities(store, Directory(store, Roles(store, 0))).run())
    try:

        async def done() -> bool:
            return await unnoted(old) == 0

        await until_it(done)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert store.most == PIECE
    assert not await first.write(lambda r: r.conversations.note_missing(PIECE))
    expected = {f"conv_{n:08}": 5000 + n + 2 if n % 2 else 1000 + n for n in range(CONVERSATIONS)}
    conversations, members = await noted(old)
    assert conversations == expected
    assert members == {*expected.items(), ("ws_1", 900)}
