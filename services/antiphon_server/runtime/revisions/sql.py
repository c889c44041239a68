"""Revisions of rules in a SQL database."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.revisions.model import Revision
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import Prepared, PreparedInsert
from antiphon_server.runtime.trail.outbox import Author

T = TypeVar("T")

KEPT = 100
"""So many revisions of a parent."""


@dataclass(frozen=True, slots=True)
class RevisionTables:
    """A table of revisions, and one row that counts changes: servers look there first."""

    revisions: Table
    changes: Table


def revision_tables(name: str, changes: str, metadata: MetaData) -> RevisionTables:
    """The tables of one kind of rules."""
    revisions = Table(
        name,
        metadata,
        Column("parent", String(80), primary_key=True),
        Column("revision", BigInteger, primary_key=True, autoincrement=False),
        Column("rule_count", SmallInteger, nullable=False),
        # The contract's message with its rules alone, serialised.
        Column("rules", LargeBinary, nullable=False),
        Column("creator", String(128), nullable=False),
        Column("created_us", BigInteger, nullable=False),
        Column("comment", String(256), nullable=False),
    )
    one = Column("one", Integer, primary_key=True, autoincrement=False)
    counted = Table(changes, metadata, one, Column("changes", BigInteger, nullable=False))
    return RevisionTables(revisions, counted)


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How rules of a ``kind`` are stored, and what ``outbox`` is to tell the audit trail of them.

    ``told`` makes the detail of a security event of a parent and the number of its new revision.
    """

    kind: str
    encode: Callable[[Sequence[T]], bytes]
    decode: Callable[[bytes], Sequence[T]]
    outbox: Table
    told: Callable[[str, int], Mapping[str, Any]]


def _now_us() -> int:
    return time.time_ns() // 1000


class SqlRevisions(Generic[T]):
    """A :class:`~antiphon_server.runtime.revisions.ports.RevisionStore` in a SQL database."""

    def __init__(
        self,
        database: Database,
        tables: RevisionTables,
        codec: Codec[T],
        now_us: Callable[[], int] = _now_us,
    ) -> None:
        self._database, self._codec, self._now_us = database, codec, now_us
        self._statements = _Statements.of(tables)

    async def changes(self) -> int:
        """See :meth:`RevisionStore.changes`."""
        counted = self._statements.changes
        row = await self._database.read(lambda it: counted.row(it, {}), snapshot=False)
        return row[0] if row else 0

    async def newest(self) -> Mapping[str, int]:
        """See :meth:`RevisionStore.newest`."""
        standing = self._statements.standing
        return await self._database.read(
            lambda it: {row.parent: row.revision for row in it.execute(standing)}
        )

    async def get(self, parent: str, number: int = 0) -> Revision[T] | None:
        """See :meth:`RevisionStore.get`."""
        at = {"b_parent": parent, "b_limit": 1, "b_revision": number}
        query = self._statements.at if number else self._statements.of_parent
        row = await self._database.read(lambda it: it.execute(query, at).one_or_none())
        return self._revision(row) if row is not None else None

    async def put(
        self, parent: str, rules: Sequence[T], comment: str, expected: int | None
    ) -> Revision[T]:
        """See :meth:`RevisionStore.put`."""
        by, creator = Author(self._codec.outbox), current_principal().actor
        created_us = self._now_us()

        def store(connection: Connection) -> Revision[T]:
            self._statements.lock(connection)
            before = self._newest_of(connection, parent)
            if before.rules == tuple(rules):
                return before
            if expected not in (None, before.number):
                raise DomainError(Reason.ETAG_MISMATCH, resource=f"{self._codec.kind} of {parent}")
            number = before.number + 1
            revision = Revision(parent, number, tuple(rules), creator, created_us, comment)
            self._statements.store(connection, self._row(revision))
            by.note(connection, **self._codec.told(parent, number))
            return revision

        return await self._database.write(store)

    async def revisions(self, parent: str, before: int, limit: int) -> Sequence[Revision[T]]:
        """See :meth:`RevisionStore.revisions`."""
        at = {"b_parent": parent, "b_limit": limit, "b_revision": before}
        query = self._statements.about_before if before else self._statements.about
        return await self._database.read(
            lambda it: [_without_rules(row) for row in it.execute(query, at)]
        )

    def _newest_of(self, connection: Connection, parent: str) -> Revision[T]:
        at = {"b_parent": parent, "b_limit": 1}
        row = connection.execute(self._statements.of_parent, at).one_or_none()
        return self._revision(row) if row is not None else Revision(parent)

    def _row(self, it: Revision[T]) -> dict[str, Any]:
        return {
            "parent": it.parent,
            "revision": it.number,
            "rule_count": len(it.rules),
            "rules": self._codec.encode(it.rules),
            "creator": it.creator,
            "created_us": it.created_us,
            "comment": it.comment,
        }

    def _revision(self, row: Any) -> Revision[T]:
        about: Revision[T] = _without_rules(row)
        return replace(about, rules=tuple(self._codec.decode(row.rules)))


def _without_rules(row: Any) -> Revision[T]:
    return Revision(row.parent, row.revision, (), row.creator, row.created_us, row.comment)


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is asked of the tables of one kind of rules."""

    tables: RevisionTables
    standing: Any
    of_parent: Any
    at: Any
    about: Any
    about_before: Any
    changes: Prepared
    first_change: PreparedInsert

    @classmethod
    def of(cls, tables: RevisionTables) -> "_Statements":
        them, changes = tables.revisions.c, tables.changes
        last = (
            select(them.parent, func.max(them.revision).label("revision"))
            .group_by(them.parent)
            .subquery()
        )
        is_last = and_(them.parent == last.c.parent, them.revision == last.c.revision)
        newest = select(them.parent, them.revision).join(last, is_last)
        of_parent = (
            select(tables.revisions)
            .where(them.parent == bindparam("b_parent"))
            .order_by(them.revision.desc())
            .limit(bindparam("b_limit"))
        )
        about = of_parent.with_only_columns(
            them.parent, them.revision, them.creator, them.created_us, them.comment
        )
        return cls(
            tables,
            newest.where(them.rule_count > 0),
            of_parent,
            of_parent.where(them.revision == bindparam("b_revision")),
            about,
            about.where(them.revision < bindparam("b_revision")),
            Prepared(lambda: select(changes.c.changes)),
            PreparedInsert(changes, " ON CONFLICT DO NOTHING"),
        )

    def lock(self, connection: Connection) -> None:
        """Whoever changes some waits for whoever changes others: so numbers are right."""
        self.first_change.run(connection, [{"one": 1, "changes": 0}])
        connection.execute(select(self.tables.changes.c.changes).with_for_update())

    def store(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Add a revision, forget what is too old, and say that something has changed."""
        them, changes = self.tables.revisions, self.tables.changes
        connection.execute(insert(them), row)
        is_old = them.c.revision <= row["revision"] - KEPT
        connection.execute(delete(them).where(them.c.parent == row["parent"], is_old))
        connection.execute(update(changes).values(changes=changes.c.changes + 1))
