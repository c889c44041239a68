"""One writer, group commit, and readers that see every commit."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, RootTransaction, text
from sqlalchemy.exc import IntegrityError, OperationalError

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage import sqlite_writer
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from antiphon_server.runtime.storage.sqlite_writer import SqliteWriter

FOLDER = "a b?c#d%20"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """A database with one table, in a folder whose name would confuse a URL."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    database = SqliteDatabase(folder / "test.db")
    await database.write(create)
    yield database
    await database.close()


@pytest.fixture
def groups(database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pieces each transaction has."""
    commit, found = SqliteWriter._commit, list[int]()

    def counted(
        self: SqliteWriter, group: list[sqlite_writer._Work], begun: RootTransaction | None = None
    ) -> None:
        found.append(len(group))
        commit(self, group, begun)

    monkeypatch.setattr(SqliteWriter, "_commit", counted)
    return found


@pytest.fixture(params=[False, True], ids=["thread", "loop"])
def short(request: pytest.FixtureRequest) -> bool:
    """Where the statements of writes are made."""
    return bool(request.param)


def create(connection: Connection) -> None:
    """Make the one table."""
    connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))


def insert(number: int, connection: Connection) -> int:
    """Insert a row and return how many there are."""
    connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
    return rows(connection)


def rows(connection: Connection) -> int:
    """How many rows there are."""
    return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


class Gate:
    """Holds the writer up, so that what follows waits for one commit."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._release = threading.Event()
        self._held = asyncio.ensure_future(database.write(lambda _: self._release.wait(5)))

    async def open(self) -> None:
        """Let the writer go on."""
        await asyncio.sleep(0.02)
        self._release.set()
        await self._held


async def test_readers_see_what_was_committed(database: SqliteDatabase, short: bool) -> None:
    """A read that begins after a write returned sees it."""
    for number in range(20):
        await database.write(partial(insert, number), short=short)
        assert await database.read(rows) == number + 1


async def test_a_failing_piece_undoes_only_itself(database: SqliteDatabase, short: bool) -> None:
    """Pieces that share a commit do not share each other's failures."""
    gate = Gate(database)

    def fails(connection: Connection) -> None:
        insert(100, connection)
        raise ValueError("mine")

    pieces = [
        database.write(lambda c: insert(1, c), short=short),
        database.write(fails, short=short),
        database.write(lambda c: insert(1, c), short=short),  # taken
        database.write(lambda c: insert(2, c), short=short),
    ]
    results = asyncio.gather(*pieces, return_exceptions=True)
    await gate.open()
    first, second, third, fourth = await results
    assert (first, fourth) == (1, 2)
    assert isinstance(second, ValueError)
    assert isinstance(third, IntegrityError)
    assert await database.read(rows) == 2


async def test_a_piece_that_fails_alone_is_undone(database: SqliteDatabase, short: bool) -> None:
    """Without company the error and the rollback are the same."""

    def fails(connection: Connection) -> None:
        insert(1, connection)
        raise DomainError(Reason.ETAG_MISMATCH, resource="t")

    with pytest.raises(DomainError) as caught:
        await database.write(fails, short=short)
    assert caught.value.reason is Reason.ETAG_MISMATCH
    assert await database.read(rows) == 0


async def test_a_broken_transaction_sinks_only_its_cause(
    database: SqliteDatabase, short: bool
) -> None:
    """When a shared transaction fails, each piece is tried on its own."""
    gate = Gate(database)
    results = asyncio.gather(
        database.write(lambda c: insert(1, c), short=short),
        database.write(
            lambda c: c.execute(text("INSERT INTO missing VALUES (1)")).close(), short=short
        ),
        database.write(lambda c: insert(2, c), short=short),
        return_exceptions=True,
    )
    await gate.open()
    first, second, third = await results
    assert (first, third) == (1, 2)
    assert isinstance(second, DomainError)
    assert second.reason is Reason.STORE_UNAVAILABLE
    assert isinstance(second.__cause__, OperationalError)


async def test_of_many_that_meet_a_lock_none_waits_behind_the_others(
    database: SqliteDatabase,
    groups: list[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    short: bool,
) -> None:
    """They are refused together after one wait, and what comes after the lock is stored."""
    more: list[None] = []
    monkeypatch.setattr(sqlite_writer, "LOCK_WAIT_MS", 20)
    monkeypatch.setattr(SqliteWriter, "_commit_nothing", lambda _: more.append(None))
    path = tmp_path / FOLDER / "test.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        writes = (database.write(partial(insert, n), short=short) for n in range(20))
        refused = await asyncio.gather(*writes, return_exceptions=True)
    assert {getattr(one, "reason", one) for one in refused} == {Reason.STORE_UNAVAILABLE}
    assert (sum(groups), more) == (20, [])
    assert not database.writable
    assert await database.write(partial(insert, 1), short=short) == 1


async def test_work_that_waits_shares_a_commit(
    database: SqliteDatabase, short: bool, groups: list[int]
) -> None:
    """A hundred concurrent writes need far fewer transactions."""
    gate = Gate(database)
    writes = asyncio.gather(*(database.write(partial(insert, n), short=short) for n in range(100)))
    await gate.open()
    assert sorted(await writes) == list(range(1, 101))
    assert sum(groups) == 101
    assert len(groups) <= 2


async def test_the_work_of_a_cancelled_caller_stands(database: SqliteDatabase, short: bool) -> None:
    """Cancelling a write does not undo it, nor trouble those beside it."""
    gate = Gate(database)
    cancelled = asyncio.ensure_future(database.write(lambda c: insert(1, c), short=short))
    beside = asyncio.ensure_future(database.write(lambda c: insert(2, c), short=short))
    await asyncio.sleep(0)
    cancelled.cancel()
    await gate.open()
    assert await beside == 2
    assert cancelled.cancelled()
    assert await database.read(rows) == 2


async def test_close_finishes_what_was_accepted(tmp_path: Path) -> None:
    """Writes that wait at close are committed and answered; later ones are refused."""
    path = tmp_path / "test.db"
    database = SqliteDatabase(path)
    await database.write(create)
    gate = Gate(database)
    writes = [asyncio.ensure_future(database.write(partial(insert, n))) for n in range(50)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(database.close())
    await gate.open()
    await closing
    assert [await write for write in writes] == list(range(1, 51))
    for refused in (database.write(rows), database.read(rows)):
        with pytest.raises(DomainError) as caught:
            await refused
        assert caught.value.reason is Reason.STORE_UNAVAILABLE
    again = SqliteDatabase(path)
    assert await again.read(rows) == 50
    await again.close()


async def test_too_much_waiting_work_is_refused(tmp_path: Path) -> None:
    """The queue is bounded; the refusal says when to try again."""
    database = SqliteDatabase(tmp_path / "test.db", most_waiting=3)
    await database.write(create)
    gate = Gate(database)
    await asyncio.sleep(0.05)
    accepted = [asyncio.ensure_future(database.write(rows)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(DomainError) as caught:
        await database.write(rows)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.OVERLOADED, 1.0)
    await gate.open()
    await asyncio.gather(*accepted)
    await database.close()


async def test_the_writer_survives_any_exception(database: SqliteDatabase) -> None:
    """What is no ordinary exception, or one a future refuses, fails its piece and no more."""

    def exits(_connection: Connection) -> None:
        raise SystemExit

    with pytest.raises(DomainError):
        await database.write(exits)
    with pytest.raises(RuntimeError):
        await database.write(lambda _: next(iter(())))
    assert await database.write(lambda c: insert(1, c)) == 1


async def test_a_read_does_not_write(database: SqliteDatabase) -> None:
    """A reader's connection refuses changes."""
    with pytest.raises(DomainError):
        await database.read(lambda c: insert(1, c))
    assert await database.read(rows) == 0


async def test_a_file_that_can_not_be_opened_is_an_error_of_the_store(tmp_path: Path) -> None:
    """Nothing hangs: every call says that the store is not available."""
    database = SqliteDatabase(tmp_path / "missing" / "test.db")
    for call in (database.read(rows), database.write(rows)):
        with pytest.raises(DomainError) as caught:
            await call
        assert caught.value.reason is Reason.STORE_UNAVAILABLE
    await database.close()


async def test_a_short_write_leaves_only_its_commit_to_the_thread(
    database: SqliteDatabase,
) -> None:
    """Its statements are made here, unless something that is not short is in the same group."""
    threads: list[str] = []

    def work(_: Connection) -> None:
        threads.append(threading.current_thread().name)

    await database.write(work, short=True)
    await asyncio.gather(database.write(work, short=True), database.write(work))
    assert threads == ["MainThread", "sqlite-write", "sqlite-write"]


async def test_a_short_write_waits_for_a_lock_elsewhere(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    """The loop goes on, and the write succeeds when the lock is let go."""
    path = tmp_path / FOLDER / "test.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN IMMEDIATE")
        waiting = asyncio.ensure_future(database.write(partial(insert, 1), short=True))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        tool.execute("ROLLBACK")
    assert await waiting == 1


async def test_reads_do_not_wait_for_a_write(database: SqliteDatabase) -> None:
    """While a transaction is open, readers see the commit before it."""
    gate = Gate(database)
    await asyncio.sleep(0.02)
    assert await asyncio.wait_for(database.read(rows), 1) == 0
    await gate.open()


async def test_a_look_up_waits_for_no_thread(database: SqliteDatabase) -> None:
    """It is answered while all threads that read are held up, and sees the last commit."""
    release = threading.Event()
    held = [asyncio.ensure_future(database.read(lambda _: release.wait(5))) for _ in range(9)]
    try:
        for number in (1, 2):
            await database.write(partial(insert, number))
            found = await asyncio.wait_for(database.read(rows, snapshot=False), 2)
            assert found == number
    finally:
        release.set()
        await asyncio.gather(*held)


async def test_a_look_up_that_fails_is_made_where_it_may_wait(
    database: SqliteDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """One that meets a lock succeeds there; one that can't succeed is an error of the store."""
    asked: list[str] = []

    def locked_at_first(connection: Connection) -> int:
        asked.append(threading.current_thread().name)
        if len(asked) == 1:
            raise sqlite3.OperationalError("database is locked")
        return rows(connection)

    assert await database.read(locked_at_first, snapshot=False) == 0
    assert asked[0] == "MainThread"
    assert asked[1].startswith("sqlite-read")
    with pytest.raises(DomainError) as broken:
        await database.read(lambda it: it.execute(text("SELECT 1 FROM u")), snapshot=False)
    assert broken.value.reason is Reason.STORE_UNAVAILABLE
    assert "could not be read" in caplog.text


async def test_commits_are_synced(database: SqliteDatabase) -> None:
    """The file is in WAL mode and a commit is synced before it is acknowledged."""
    modes = await database.write(
        lambda c: (
            c.exec_driver_sql("PRAGMA journal_mode").scalar(),
            c.exec_driver_sql("PRAGMA synchronous").scalar(),
        )
    )
    assert modes == ("wal", 2)


async def test_what_a_dead_process_left_in_the_wal_is_moved_before_anything_else(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    """A commit never stands behind one that may not be on disk."""
    await database.write(partial(insert, 1))
    left = tmp_path / "left.db"
    for end in ("", "-wal"):
        shutil.copy(tmp_path / "a b?c#d%20" / f"test.db{end}", f"{left}{end}")
    wal = left.with_name("left.db-wal")
    assert wal.stat().st_size > 0
    again = SqliteDatabase(left)
    assert await again.read(rows) == 1
    assert wal.stat().st_size == 0
    await again.close()
