"""The database for several servers: Postgres, by SQLAlchemy and asyncpg.

The services' SQL is functions of a synchronous connection; SQLAlchemy runs them on the event
loop and waits for the driver where they would block. Each call has a connection of the pool for
the time of its transaction, and a task of its own, so that nobody who stops waiting can leave a
connection in the middle of a conversation with the server.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from antiphon_server.runtime.concurrency.retry import retrying
from antiphon_server.runtime.concurrency.retry_policies import CONFLICT
from antiphon_server.runtime.errors import DomainError, Reason, unavailable
from antiphon_server.runtime.storage.postgres_engine import (
    IDLE_SHARE,
    CommitLost,
    Fault,
    end_standing_still,
    fault_of,
    is_lock_timeout,
    postgres_engine,
    words_of,
)
from antiphon_server.runtime.storage.postgres_scrub import PostgresScrub

T = TypeVar("T")
POOL = 10
MAX_WAITING = 10_000
DEADLINE_S = 15.0
LOCK_S = 10.0
PROBE_S = 0.25
CLOSE_S = 5.0

log = logging.getLogger(__name__)


class PostgresDatabase:
    """A :class:`~antiphon_server.runtime.storage.database.Database` on a Postgres server.

    A transaction that another one kept from committing is run again, as long as ``CONFLICT``
    says. One that waits longer than ``lock_s`` for a lock is given up, unless a process that
    stands still had it, and one that takes longer than ``deadline_s`` loses its connection.
    ``writable`` says whether the server can be reached, ``changed`` is set when that changes;
    while it can't, calls fail at once, as those do beyond ``most_waiting``. If the connection is
    lost during a commit, nobody can say whether that was stored: the call fails as
    SERVICE_UNAVAILABLE, and may be repeated under the same key.
    """

    shared = True

    def __init__(
        self,
        url: str,
        pool: int = POOL,
        deadline_s: float = DEADLINE_S,
        lock_s: float = LOCK_S,
        most_waiting: int = MAX_WAITING,
    ) -> None:
        """Raises WrongSetting for what is no URL of Postgres, or without the packages for it."""
        self._engine = postgres_engine(url, pool, deadline_s, lock_s)
        self._reader = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._plain = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._slots = asyncio.Semaphore(pool)
        self._scrub = PostgresScrub(url)
        self._deadline_s = deadline_s
        self._idle_s = lock_s * IDLE_SHARE
        self._most_waiting = most_waiting
        self._calls: set[asyncio.Task[Any]] = set()
        self._probing: asyncio.Task[None] | None = None
        self._closed = False
        self.writable = True
        self.changed = asyncio.Event()

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`."""
        return await self._call(self._engine, work)

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self._call(self._reader if snapshot else self._plain, work)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`. What an older snapshot sees stays until that has ended."""
        if self._closed:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        await self._scrub.scrub(tables)

    async def close(self) -> None:
        """See :meth:`Database.close`."""
        self._closed = True
        await self._scrub.close()
        if self._calls:
            await asyncio.wait(self._calls)
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])
        with contextlib.suppress(TimeoutError):  # a server that hangs is not said good-bye
            async with asyncio.timeout(CLOSE_S):
                await self._engine.dispose()

    async def _call(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        if self._closed or not self.writable:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        if len(self._calls) >= self._most_waiting:
            raise DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
        call = asyncio.create_task(self._in_turn(engine, work), name="postgres")
        self._calls.add(call)
        call.add_done_callback(self._ended)
        return await asyncio.shield(call)

    def _ended(self, call: "asyncio.Task[Any]") -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # whoever waited for it may be gone

    async def _in_turn(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        async with self._slots:
            try:
                return await self._tried(engine, work)
            except Exception as error:
                raise self._failure(error) from error

    async def _tried(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        """Run it as often as other transactions keep it from committing, within the policy."""

        async def attempts() -> T:
            return await retrying(
                lambda: self._transaction(engine, work),
                CONFLICT,
                Exception,
                lambda error: fault_of(error) is Fault.CONFLICT,
            )

        try:
            return await attempts()
        except Exception as error:
            if not is_lock_timeout(error) or not await self._end_those_that_stand_still():
                raise
        return await attempts()

    async def _end_those_that_stand_still(self) -> int:
        """Take their locks from processes that are stopped; gives how many sessions had some."""
        ended = await self._transaction(
            self._plain, lambda it: end_standing_still(it, self._idle_s)
        )
        if ended:
            log.warning("%d sessions of processes that stand still were ended", ended)
        return ended

    async def _transaction(self, engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
        if not self.writable:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        try:
            connection = await engine.connect()
        except Exception as error:
            if fault_of(error) is Fault.AWAY:
                self._lost(error)
            raise
        try:
            return await connection.run_sync(self._run, work)
        finally:
            await connection.close()

    def _run(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        with self._watched(connection), connection.begin() as transaction:
            result = work(connection)
            try:
                transaction.commit()
            except Exception as error:
                if fault_of(error) is Fault.AWAY:
                    raise CommitLost(words_of(error)) from error
                raise
        return result

    @contextlib.contextmanager
    def _watched(self, connection: Connection) -> Iterator[None]:
        """Cut the connection at the deadline, and if the server failed on it."""
        driver: Any = connection.connection.driver_connection
        loop = asyncio.get_running_loop()
        watch = loop.call_later(self._deadline_s, self._cut, driver)
        try:
            yield
        except Exception as error:
            if fault_of(error) in (Fault.AWAY, Fault.UNKNOWN):
                driver.terminate()
            raise
        finally:
            watch.cancel()

    def _cut(self, driver: Any) -> None:
        driver.terminate()
        self._lost(TimeoutError(f"no answer within {self._deadline_s:g} s"))

    def _failure(self, error: Exception) -> Exception:
        """What the caller is told: what its work raised, or that the store could not do it."""
        match fault_of(error):
            case Fault.CONFLICT | Fault.BUSY:
                log.warning("a transaction was kept from committing: %s", words_of(error))
                return DomainError(Reason.OVERLOADED, resource="store", retry_after=1.0)
            case Fault.AWAY:
                log.error("a transaction failed: %s", words_of(error))
                return DomainError(Reason.STORE_UNAVAILABLE)
            case Fault.UNKNOWN:
                log.error("a commit got no answer: %s", words_of(error))
                return unavailable("store")
            case None:
                return error

    def _lost(self, error: Exception) -> None:
        if self._probing is None and not self._closed:
            log.error("Postgres is away: %s", words_of(error))
            self._set_writable(writable=False)
            self._probing = asyncio.create_task(self._probe(), name="postgres.probe")

    async def _probe(self) -> None:
        """Ask until it answers; whatever is wrong meanwhile, nobody else would."""
        while True:
            await asyncio.sleep(PROBE_S)
            try:
                async with self._plain.connect() as connection:
                    await connection.run_sync(self._run, _ask)
            except Exception as error:
                log.debug("Postgres is still away: %s", words_of(error))
                continue
            break
        self._probing = None
        log.warning("Postgres is back")
        self._set_writable(writable=True)

    def _set_writable(self, *, writable: bool) -> None:
        self.writable = writable
        self.changed.set()


def _ask(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1")
