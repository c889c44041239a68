"""One SQLite database in memory, as each server sees it: a dead one sees nothing any more."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.pool import StaticPool

from antiphon.events.v1 import event_pb2
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.model import Append, Appended
from antiphon_server.runtime.errors import DomainError
from tests.proofs.workers.place import Place

T = TypeVar("T")
MOST_S = 0.004


def memory_engine(*tables: MetaData) -> Engine:
    """An empty database with these tables."""
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        for each in tables:
            each.create_all(connection)
    return engine


class Seen:
    """The database as one program sees it. A :class:`Database`; ``None`` sees it always."""

    shared = False

    def __init__(self, engine: Engine, chance: Random, place: Place | None) -> None:
        self._engine, self._chance, self._place = engine, chance, place

    async def write(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """See :meth:`Database.write`; who dies on the way back has committed."""
        await self._on_the_way()
        with self._engine.begin() as connection:
            result = work(connection)
        await self._on_the_way()
        return result

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = True) -> T:
        """See :meth:`Database.read`."""
        return await self.write(work)

    async def scrub(self, tables: Sequence[str], *, copies: bool = False) -> None:
        """See :meth:`Database.scrub`: nobody erases anything here."""

    async def close(self) -> None:
        """It stays."""

    async def _on_the_way(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, MOST_S))
        if self._place is not None:
            self._place.alive()


class RecordedLog(SqlLogStore):
    """A log's store that keeps what was ever appended, also what is folded later."""

    def __init__(self, database: Seen) -> None:
        super().__init__(database)
        self.events: list[event_pb2.Event] = []
        self.times: list[float] = []

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        """See :meth:`LogStore.append`."""
        results = await super().append(batch)
        for append, result in zip(batch, results, strict=True):
            if isinstance(result, Appended) and not result.duplicate:
                for it in append.events:
                    self.events.append(event_pb2.Event.FromString(it.body))
                    self.times.append(asyncio.get_running_loop().time())
        return list(results)
