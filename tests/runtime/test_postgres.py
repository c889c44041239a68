"""Postgres may be busy, slow, stopped or gone: calls say so, and go on when it is back."""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from antiphon_server.app.schemas import migrate_all
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage import postgres as adapter
from antiphon_server.runtime.storage import postgres_scrub
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from antiphon_server.runtime.storage.postgres_engine import connected
from antiphon_server.runtime.storage.postgres_scrub import PostgresScrub
from antiphon_server.runtime.storage.postgres_start import open_postgres
from tests.e2e.until import SOON_S, until, until_it
from tests.fakes.postgres import Postgres

SLOW_S = 1.0


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.empty_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(url, pool=4)
    await opened.write(lambda it: it.execute(text("CREATE TABLE numbers (n int PRIMARY KEY)")))
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """A server that this module's tests may break."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def mortal_database(mortal: Postgres) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(mortal.url(), pool=4, deadline_s=SLOW_S)
    await opened.write(lambda it: it.execute(text("DROP TABLE IF EXISTS numbers")))
    await opened.write(lambda it: it.execute(text("CREATE TABLE numbers (n int PRIMARY KEY)")))
    yield opened
    await opened.close()


def added(number: int, then: str = "SELECT 1") -> Callable[[Connection], None]:
    """Work that stores a number, and then runs something else."""

    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number})
        connection.execute(text(then))

    return work


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(text("SELECT n FROM numbers ORDER BY n")).scalars())


async def refusal(call: Any) -> Reason:
    with pytest.raises(DomainError) as refused:
        await call
    return refused.value.reason


async def until_written(database: PostgresDatabase, number: int) -> None:
    """Write again and again until it succeeds."""
    async with asyncio.timeout(SOON_S):
        while True:
            with contextlib.suppress(DomainError):
                await database.write(added(number))
                return
            await asyncio.sleep(0.05)


async def test_what_work_raises_undoes_it_alone(database: PostgresDatabase) -> None:
    """The error is the caller's own, and the connection is good for the next."""

    def failing(connection: Connection) -> None:
        added(1)(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(failing)
    with pytest.raises(Exception, match="duplicate key"):
        await database.write(lambda it: (added(2)(it), added(2)(it)))
    await database.write(added(3))
    assert await database.read(numbers) == [3]


@pytest.mark.parametrize(("snapshot", "later"), [(True, []), (False, [1])])
async def test_a_reader_sees_one_moment(
    database: PostgresDatabase, snapshot: bool, later: list[int]
) -> None:
    """What is committed between two statements of a read is not in it, and it can't write.

    Without a snapshot each statement runs by itself: no lock, no moment, is kept between.
    """
    begun, written = asyncio.Event(), asyncio.Event()

    def twice(connection: Connection) -> tuple[list[int], list[int]]:
        before = numbers(connection)
        begun.set()
        await_only(written.wait())
        return before, numbers(connection)

    reading = asyncio.create_task(database.read(twice, snapshot=snapshot))
    await begun.wait()
    await database.write(added(1))
    written.set()
    assert await reading == ([], later)
    assert await refusal(database.read(added(2))) is Reason.STORE_UNAVAILABLE


async def test_cancelling_a_call_does_not_undo_it(database: PostgresDatabase) -> None:
    """Of 100 calls cancelled at any point all are committed, and no connection is harmed."""
    for number in range(100):
        task = asyncio.create_task(database.write(added(number)))
        await asyncio.sleep(0.0001 * (number % 20))
        task.cancel()
        await asyncio.wait([task])
    assert await database.read(lambda it: it.execute(text("SELECT 7")).scalar()) == 7
    await database.close()
    assert database.writable


async def test_a_deadlock_is_resolved_by_running_one_again(database: PostgresDatabase) -> None:
    """Two that wait for each other are both committed in the end."""
    await database.write(lambda it: (added(1)(it), added(2)(it)))
    runs, held = list[int](), set[int]()

    def crossing(first: int, second: int) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            runs.append(first)
            lock = text("SELECT n FROM numbers WHERE n = :n FOR UPDATE")
            connection.execute(lock, {"n": first})
            held.add(first)
            while len(held) < 2:
                connection.execute(text("SELECT pg_sleep(0.01)"))
            connection.execute(lock, {"n": second})

        return work

    await asyncio.gather(database.write(crossing(1, 2)), database.write(crossing(2, 1)))
    assert len(runs) > 2


async def test_a_lock_is_waited_for_so_long(url: str) -> None:
    """Whoever does not get it is told to come back."""
    database, locked = PostgresDatabase(url, pool=2, lock_s=0.2), asyncio.Event()
    await database.write(lambda it: it.execute(text("CREATE TABLE held ()")))

    def hold(connection: Connection) -> None:
        connection.execute(text("LOCK TABLE held"))
        locked.set()
        connection.execute(text("SELECT pg_sleep(2)"))

    holding = asyncio.create_task(database.write(hold))
    await locked.wait()
    waiting = database.write(lambda it: it.execute(text("LOCK TABLE held")))
    assert await refusal(waiting) is Reason.OVERLOADED
    await holding
    await database.close()


async def test_who_stands_still_loses_its_locks(
    database: PostgresDatabase, postgres: Postgres, url: str
) -> None:
    """Before those who wait for them give up."""
    other, locked = PostgresDatabase(url, pool=2, lock_s=2.0), asyncio.Event()

    def stand_still(connection: Connection) -> None:
        connection.execute(text("LOCK TABLE numbers"))
        locked.set()
        await_only(asyncio.sleep(1.5))
        connection.execute(text("SELECT 1"))

    standing = asyncio.create_task(refusal(other.write(stand_still)))
    await locked.wait()
    await database.write(added(1))
    assert await standing is Reason.STORE_UNAVAILABLE
    await other.close()


async def test_who_stops_within_a_statement_loses_its_locks(url: str) -> None:
    """Prepared, and never run: Postgres itself ends no such session."""
    database = PostgresDatabase(url, pool=2, lock_s=0.4)
    await database.write(lambda it: it.execute(text("CREATE TABLE numbers (n int)")))
    standing = await connected(url, deadline_s=15.0, lock_s=0.4)
    await standing.execute("BEGIN")
    await standing.execute("LOCK TABLE numbers")
    await standing.prepare("SELECT n FROM numbers")
    await database.write(added(1))
    assert standing.is_closed()
    await database.close()


async def test_waiting_is_bounded(database: PostgresDatabase, url: str) -> None:
    """More calls than connections wait; more than that are refused, with when to come back."""
    few = PostgresDatabase(url, pool=4, most_waiting=20)
    calls = [asyncio.create_task(few.write(added(n))) for n in range(30)]
    told = await asyncio.gather(*calls, return_exceptions=True)
    refused = [it for it in told if isinstance(it, DomainError)]
    assert [(it.reason, it.retry_after) for it in refused] == [(Reason.OVERLOADED, 1.0)] * 10
    assert await database.read(numbers) == list(range(20))
    await few.close()


async def test_a_connection_that_was_closed_meanwhile_is_replaced(
    database: PostgresDatabase, postgres: Postgres
) -> None:
    """The server ended all that were idle: no call fails for that."""
    await asyncio.gather(*(database.read(numbers) for _ in range(8)))
    await postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'antiphon'"
    )
    await asyncio.sleep(0.2)
    await asyncio.gather(*(database.write(added(number)) for number in range(8)))


async def test_a_connection_that_is_lost_fails_the_call(
    database: PostgresDatabase, postgres: Postgres
) -> None:
    """The call is told so, nothing is stored, and the next one succeeds."""
    lost = database.write(added(1, "SELECT pg_terminate_backend(pg_backend_pid())"))
    assert await refusal(lost) is Reason.STORE_UNAVAILABLE
    await database.write(added(2))
    assert await database.read(numbers) == [2]


CUT = """
CREATE FUNCTION cut() RETURNS trigger AS $$
BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END
$$ LANGUAGE plpgsql
"""
CUT_AT_COMMIT = """
CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.n = 13) EXECUTE FUNCTION cut()
"""


async def test_a_commit_without_an_answer_promises_nothing(database: PostgresDatabase) -> None:
    """Whether it was stored is not known, so it is not said that it was not."""
    await database.write(lambda it: it.exec_driver_sql(CUT))
    await database.write(lambda it: it.exec_driver_sql(CUT_AT_COMMIT))
    with pytest.raises(DomainError) as refused:
        await database.write(added(13))
    assert refused.value.reason is Reason.SERVICE_UNAVAILABLE
    assert refused.value.metadata == {"service": "store"}
    await database.write(added(14))


async def test_a_server_that_dies_is_gone_on_with(
    mortal: Postgres, mortal_database: PostgresDatabase
) -> None:
    """Killed under load: calls fail typed, and what was told to be stored is there after."""
    stored: list[int] = []
    reasons: set[Reason] = set()

    async def write(numbers: range) -> None:
        for number in numbers:
            try:
                await mortal_database.write(added(number))
                stored.append(number)
            except DomainError as error:
                reasons.add(error.reason)
                await asyncio.sleep(0.02)

    writing = [asyncio.create_task(write(range(n, 2000, 8))) for n in range(8)]
    await asyncio.sleep(0.2)
    mortal.kill()
    await until(lambda: not mortal_database.writable)
    assert mortal_database.changed.is_set()
    mortal.start()
    await asyncio.gather(*writing)
    await until_written(mortal_database, 9999)
    assert mortal_database.writable
    assert reasons <= {Reason.STORE_UNAVAILABLE, Reason.SERVICE_UNAVAILABLE}
    assert set(stored) <= set(await mortal_database.read(numbers))


async def test_who_asks_whether_it_is_back_is_not_lost_with_a_connection(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer comes, and then the connection goes: it is asked again, and found back."""
    lost: list[int] = []

    def ask(connection: Connection) -> None:
        numbered = connection.exec_driver_sql("SELECT 1").scalar()
        if not lost:
            lost.append(int(numbered or 0))
            connection.connection.driver_connection.terminate()  # type: ignore[union-attr]

    monkeypatch.setattr(adapter, "_ask", ask)
    database = PostgresDatabase(url, pool=2, deadline_s=0.1)

    def stand_still(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT 1")
        await_only(asyncio.sleep(0.3))
        connection.exec_driver_sql("SELECT 1")

    assert await refusal(database.read(stand_still)) is Reason.STORE_UNAVAILABLE
    assert not database.writable
    database.changed.clear()
    async with asyncio.timeout(SOON_S):
        await database.changed.wait()
    assert database.writable
    assert lost
    await database.close()


async def test_a_server_that_hangs_keeps_nobody(
    mortal: Postgres, mortal_database: PostgresDatabase
) -> None:
    """Stopped in its tracks, it is away after the deadline; thawed, it is used again."""
    mortal.freeze()
    began = time.monotonic()
    try:
        calls = [mortal_database.write(added(number)) for number in range(12)]
        reasons = await asyncio.gather(*(refusal(call) for call in calls))
        assert set(reasons) <= {Reason.STORE_UNAVAILABLE, Reason.SERVICE_UNAVAILABLE}
        assert time.monotonic() - began < 3 * SLOW_S
        assert await refusal(mortal_database.read(numbers)) is Reason.STORE_UNAVAILABLE
    finally:
        mortal.thaw()
    await until_written(mortal_database, 99)


async def test_a_closed_database_refuses(database: PostgresDatabase) -> None:
    """Typed, too."""
    await database.close()
    assert await refusal(database.read(numbers)) is Reason.STORE_UNAVAILABLE


async def test_servers_that_start_at_once_migrate_one_after_another(url: str) -> None:
    """Four of them on an empty database: each finds the tables, none fails."""
    nodes = [PostgresDatabase(url, pool=2) for _ in range(4)]
    await asyncio.gather(*(migrate_all(node) for node in nodes))
    for node in nodes:
        await node.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.rpartition("/")[0] + "/nowhere", "createdb"),
        (lambda url: url.replace("antiphon@", "nobody@"), "does not let this user in"),
        (
            lambda url: re.sub(r":\d+/", ":1/", url),
            "no Postgres answers at 127.0.0.1:1 ",
        ),
    ],
)
async def test_what_is_wrong_at_the_start_is_said(
    url: str, change: Callable[[str], str], says: str
) -> None:
    """In a sentence, without the password."""
    wrong = change(url).replace("@127", ":geheim@127")
    with pytest.raises(DatabaseUnusable, match=says) as told:
        await open_postgres(wrong, 2)
    assert "ANTIPHON_DATABASE_URL" in str(told.value)
    assert "geheim" not in str(told.value)


@pytest.mark.parametrize("url", ["mysql://host/x", "host/x", "", "postgresql://host:70000/x"])
async def test_other_urls_are_refused(url: str) -> None:
    """Only Postgres's."""
    with pytest.raises(WrongSetting, match="database_url"):
        PostgresDatabase(url)


async def test_a_database_for_others_is_refused(postgres: Postgres) -> None:
    """One that is not in UTF-8 would break texts."""
    await postgres.run(
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    with pytest.raises(DatabaseUnusable, match="createdb -E UTF8"):
        await open_postgres(postgres.url("latin"), 2)


async def test_freeing_room_takes_as_long_as_it_takes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit of a transaction: the store is not lost, others go on, and it is done."""
    monkeypatch.setattr(postgres_scrub, "WAIT_S", 60.0)
    store = PostgresDatabase(url, pool=2, deadline_s=SLOW_S)
    await store.write(lambda it: it.execute(text("CREATE TABLE numbers (n int PRIMARY KEY)")))
    other = await asyncpg.connect(url)
    held = other.transaction()
    await held.start()
    await other.execute("LOCK TABLE numbers IN SHARE UPDATE EXCLUSIVE MODE")
    asked = [asyncio.create_task(store.scrub(["numbers"])) for _ in range(3)]
    for number in range(8):
        await store.write(added(number))
        await asyncio.sleep(SLOW_S / 4)
    assert store.writable
    assert not [it for it in asked if it.done()]
    await held.rollback()
    await asyncio.gather(*asked)
    freed = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'numbers'"
    assert await other.fetchval(freed) >= 1
    await other.close()
    await store.close()


async def test_who_asks_does_not_wait_for_ever_until_room_is_freed(url: str) -> None:
    """What is late goes on, is tried again when it failed, and ends with the database."""
    store = PostgresDatabase(url, pool=2)
    scrub = PostgresScrub(url, wait_s=0.1)
    await scrub.scrub(["numbers"])
    await store.write(lambda it: it.execute(text("CREATE TABLE numbers (n int PRIMARY KEY)")))
    freed = "SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'numbers'"

    async def done() -> bool:
        return bool(await store.read(lambda it: it.execute(text(freed)).scalar_one()))

    await until_it(done)
    await scrub.scrub(["numbers", "nothing"])
    await scrub.close()
    await store.close()
