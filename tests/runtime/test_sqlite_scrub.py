"""What was removed is in no file: neither in the log of writes nor where rows were moved."""

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, text

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage import sqlite_scrub
from antiphon_server.runtime.storage.sqlite import SqliteDatabase

KEYS = 200
SECRET = "canary"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """A database with one table, whose rows are ordered by their words."""
    database = SqliteDatabase(tmp_path / "test.db")
    table = (
        "CREATE TABLE t (word TEXT, id INTEGER, body TEXT, PRIMARY KEY (word, id)) WITHOUT ROWID"
    )
    await database.write(lambda it: it.execute(text(table)))
    yield database
    await database.close()


def insert(number: int, connection: Connection) -> None:
    """Insert a row."""
    connection.execute(text("INSERT INTO t VALUES ('', :n, '')"), {"n": number})


def rows(connection: Connection) -> int:
    """How many rows there are."""
    return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


async def with_copies(database: SqliteDatabase) -> None:
    """Have pages split while there is something secret in them, and remove that."""
    chance = Random(1)
    words = [f"{chance.randrange(1 << 60):x}" for _ in range(KEYS)]

    def fill(connection: Connection) -> None:
        for number in range(20):
            for at, word in enumerate(words):
                said = (SECRET if at % 10 == 0 else "other") + " x" * chance.randrange(10, 200)
                row = {"word": word, "id": number, "body": said}
                connection.execute(text("INSERT INTO t VALUES (:word, :id, :body)"), row)

    await database.write(fill)
    removed = text(f"UPDATE t SET body = '' WHERE body LIKE '{SECRET}%'")
    await database.write(lambda it: it.execute(removed))


async def test_no_copy_is_left_of_a_row_that_was_moved(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    """Emptying the log is not enough; the rows are all there."""
    await with_copies(database)
    await database.scrub(["t"])
    assert SECRET.encode() in (tmp_path / "test.db").read_bytes()
    await database.scrub(["t"], copies=True)
    assert SECRET.encode() not in (tmp_path / "test.db").read_bytes()
    assert (tmp_path / "test.db-wal").stat().st_size == 0
    assert await database.read(rows) == 20 * KEYS


async def test_those_who_ask_at_once_share_it(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks while it is done, or just after, shares the next: others write in between."""
    done, rewrite = list[float](), sqlite_scrub._rewrite

    def counted(connection: Connection) -> float:
        done.append(rewrite(connection))
        return 0.02

    monkeypatch.setattr(sqlite_scrub, "_rewrite", counted)
    await asyncio.gather(*(database.scrub(["t"], copies=True) for _ in range(20)))
    assert len(done) == 1
    later = [asyncio.create_task(database.scrub(["t"], copies=True)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert len(done) == 1
    await database.write(partial(insert, 1))
    await asyncio.gather(*later)
    assert len(done) == 2


async def test_a_large_one_stays_as_it_is(
    database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is held up for long; the log is empty nevertheless."""
    monkeypatch.setattr(sqlite_scrub, "MOST_REWRITTEN", 1 << 16)
    await with_copies(database)
    await database.scrub(["t"], copies=True)
    assert SECRET.encode() in (tmp_path / "test.db").read_bytes()
    assert (tmp_path / "test.db-wal").stat().st_size == 0


async def test_it_is_not_done_while_the_log_is_read(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would grow by all of the database each time; whoever asked is told, and asks again."""
    monkeypatch.setattr(sqlite_scrub, "LIMIT_S", 0.2)
    release, reading = threading.Event(), threading.Event()

    def read(connection: Connection) -> None:
        rows(connection)
        reading.set()
        release.wait(10)

    done = list[Connection]()
    monkeypatch.setattr(sqlite_scrub, "_rewrite", done.append)
    held = asyncio.create_task(database.read(read))
    await asyncio.to_thread(reading.wait, 5)
    await database.write(partial(insert, 1))
    with pytest.raises(DomainError) as refused:
        await database.scrub(["t"], copies=True)
    assert (refused.value.reason, done) == (Reason.STORE_UNAVAILABLE, [])
    release.set()
    await held


async def test_who_waits_is_refused_when_it_closes(tmp_path: Path) -> None:
    """And nobody waits for ever."""
    database = SqliteDatabase(tmp_path / "test.db")
    await database.write(lambda it: it.execute(text("CREATE TABLE t (id INTEGER)")))
    asked = asyncio.create_task(database.scrub(["t"], copies=True))
    await asyncio.sleep(0)
    await database.close()
    with pytest.raises(DomainError, match="STORE_UNAVAILABLE"):
        await asked


async def test_a_reader_that_takes_long_holds_up_no_writes_when_the_wal_is_emptied(
    database: SqliteDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is attempted again until the reader ends; one that never does has it refused."""
    monkeypatch.setattr(sqlite_scrub, "LIMIT_S", 0.5)
    file, release, reading = tmp_path / "test.db", threading.Event(), threading.Event()

    def read(connection: Connection) -> None:
        rows(connection)
        reading.set()
        release.wait(30)

    held = asyncio.create_task(database.read(read))
    await asyncio.to_thread(reading.wait, 5)
    await database.write(partial(insert, 1))
    with pytest.raises(DomainError) as refused:
        await database.scrub(["t"])
    assert (refused.value.reason, database.writable) == (Reason.STORE_UNAVAILABLE, True)
    monkeypatch.setattr(sqlite_scrub, "LIMIT_S", 30.0)
    scrubbed = asyncio.create_task(database.scrub(["t"]))
    for number in range(2, 12):
        await database.write(partial(insert, number))
        await asyncio.sleep(0.02)
    assert not scrubbed.done()
    release.set()
    await held
    await scrubbed
    assert file.with_name("test.db-wal").stat().st_size == 0
