"""Security events in a database."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, insert, or_, select, text

from antiphon_server.auth.adapters.audit_tables import security_events
from antiphon_server.auth.adapters.sql.requests import remember
from antiphon_server.auth.model.chain import NOTHING, Head, SealedEvent, Selection
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.storage.database import Database

T = TypeVar("T")

_ROW = security_events.c
_ADD = insert(security_events)
_HEAD = select(_ROW.sequence, _ROW.hash).order_by(_ROW.sequence.desc()).limit(1)
_ONE_AT_A_TIME = text("LOCK TABLE auth_security_events IN SHARE ROW EXCLUSIVE MODE")


class SqlSecurityEvents:
    """A :class:`~antiphon_server.auth.ports.security_events.SecurityEventStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, records: Records[None], answer: Answer | None = None) -> None:
        def work(connection: Connection) -> None:
            remember(connection, answer)
            record(connection, records, None)

        await self._database.write(work)

    async def after(self, sequence: int, which: Selection, limit: int) -> Sequence[SealedEvent]:
        rows = _wanted(which).where(_ROW.sequence > sequence).order_by(_ROW.sequence)
        return await self._read(rows.limit(limit))

    async def before(
        self, sequence: int | None, which: Selection, limit: int
    ) -> Sequence[SealedEvent]:
        rows = _wanted(which).order_by(_ROW.sequence.desc())
        if sequence is not None:
            rows = rows.where(_ROW.sequence < sequence)
        return await self._read(rows.limit(limit))

    async def head(self) -> Head:
        return await self._database.read(_head)

    async def _read(self, rows: Select[Any]) -> Sequence[SealedEvent]:
        return await self._database.read(
            lambda connection: [SealedEvent(*row) for row in connection.execute(rows)]
        )


def record(connection: Connection, records: Records[T], outcome: T) -> T:
    """Add what tells of an act to the chain; the last thing that its transaction does.

    Returns the outcome.
    """

    def head() -> Head:
        if connection.dialect.name != "sqlite":  # whose writers are one at a time anyway
            connection.execute(_ONE_AT_A_TIME)
        return _head(connection)

    placed = records(outcome, head)
    if placed:
        connection.execute(_ADD, [asdict(event) for event in placed])
    return outcome


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).one_or_none()
    return Head(*row) if row else NOTHING


def _wanted(which: Selection) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    if which.user_id:
        own = _ROW.actor == f"users/{which.user_id}"
        conditions.append(or_(_ROW.user_id == which.user_id, own))
    if which.kinds:
        conditions.append(_ROW.kind.in_(which.kinds))
    if which.begin_time is not None:
        conditions.append(_ROW.create_time >= which.begin_time)
    if which.end_time is not None:
        conditions.append(_ROW.create_time < which.end_time)
    return select(*_ROW).where(*conditions)
