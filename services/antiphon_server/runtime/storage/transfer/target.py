"""Filling a Postgres database that servers refuse until it is whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
    text,
    update,
)

from antiphon_server.runtime.storage import migrations
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.postgres_engine import sqlstate_of, words_of
from antiphon_server.runtime.storage.transfer.digest import Digest, Row
from antiphon_server.runtime.storage.transfer.failure import TransferFailed

Schemas = Mapping[str, tuple[Path, MetaData]]
"""Of each service the folder of its migrations and its tables."""

PREFETCHED = 64  # rows may be as large as a message
_BAD_VALUE = "22"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

# There while the database is being filled: a row for each table, how far it is.
_notes = Table(
    "runtime_transfer",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("source", String(255), nullable=False),
    Column("last_key", LargeBinary, nullable=True),
    Column("rows", BigInteger, nullable=False),
)


class Place(NamedTuple):
    """How far a table is: the primary key of the last row that is there, and how many are."""

    last_key: Row | None
    rows: int


class PostgresTarget:
    """A database that one process fills, by the name of its ``source``.

    Each batch is one transaction with a note how far it goes. So whoever begins again after a
    crash goes on behind the last batch, and another source begins anew.
    """

    def __init__(self, database: Database, schemas: Schemas, source: str) -> None:
        self._database = database
        self._schemas = schemas
        self._source = source

    @property
    def tables(self) -> list[Table]:
        """All tables, those before that others refer to."""
        return [table for _, tables in self._schemas.values() for table in tables.sorted_tables]

    async def begin(self) -> dict[str, Place]:
        """Make the tables, or find them; returns how far each is that was begun.

        From now on servers refuse the database. Raises TransferFailed if it has data of
        its own.
        """
        return await self._database.write(self._begin)

    def _begin(self, connection: Connection) -> dict[str, Place]:
        migrations.be_alone(connection)
        found = [migrations.revision(connection, name) for name in self._schemas]
        if any(each not in ("", migrations.UNFINISHED) for each in found):
            raise TransferFailed(
                "the database has data of Antiphon already: name an empty one, made with "
                "`createdb -E UTF8`"
            )
        if all(found) and (places := self._places(connection)) is not None:
            return places
        for (service, (_, tables)), seen in zip(self._schemas.items(), found, strict=True):
            if seen:
                migrations.remove(connection, service, tables)
            migrations.make_unfinished(connection, service, tables)
        self._begin_notes(connection)
        return {}

    def _places(self, connection: Connection) -> dict[str, Place] | None:
        """None if another source was begun with."""
        rows = connection.execute(select(_notes)).all()
        if any(row.source != self._source for row in rows):
            return None
        return {row.name: Place(_decoded(row.last_key), row.rows) for row in rows if row.last_key}

    def _begin_notes(self, connection: Connection) -> None:
        _notes.drop(connection, checkfirst=True)
        _notes.create(connection)
        notes = [{"name": each.name, "source": self._source, "rows": 0} for each in self.tables]
        connection.execute(insert(_notes), notes)

    async def put(self, table: Table, rows: Sequence[Row], last_key: Row) -> None:
        """Store a batch, and that it is there. Raises TransferFailed."""
        note = (
            update(_notes)
            .where(_notes.c.name == table.name, _notes.c.source == self._source)
            .values(last_key=msgspec.msgpack.encode(last_key), rows=_notes.c.rows + len(rows))
        )

        def work(connection: Connection) -> None:
            if not connection.execute(note).rowcount:
                raise TransferFailed("somebody else has begun to fill the same database")
            _copy(connection, table, rows)

        await self._database.write(work)

    async def digest(self, table: Table, tell: Callable[[int], None]) -> Digest:
        """Of all rows that are there; ``tell`` is told how many were read."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        query = f'SELECT {columns} FROM "{table.name}"'
        found = Digest()

        async def read(driver: Any) -> None:
            async for record in driver.cursor(query, prefetch=PREFETCHED):
                found.add(tuple(record))
                tell(found.rows)

        def work(connection: Connection) -> None:
            connection.execute(text("SELECT 1"))  # so begins SQLAlchemy's transaction
            _driver(connection).run_async(read)

        await self._database.read(work)
        return found

    async def forget(self) -> None:
        """What is there is not what it should be: whoever begins again begins anew."""
        anew = update(_notes).values(source="")
        await self._database.write(lambda connection: connection.execute(anew))

    async def finish(self) -> None:
        """Let servers use the database."""
        await self._database.write(self._finish)

    def _finish(self, connection: Connection) -> None:
        migrations.be_alone(connection)
        for statement in _counting_on(self.tables):
            connection.execute(text(statement))
        for service, (versions, _) in self._schemas.items():
            migrations.finish(connection, service, versions)
        _notes.drop(connection)
        for table in self.tables:  # plans for the first calls are made of this
            connection.execute(text(f'ANALYZE "{table.name}"'))


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    columns = [column.name for column in table.columns]
    try:
        _driver(connection).run_async(
            lambda driver: driver.copy_records_to_table(table.name, records=rows, columns=columns)
        )
    except Exception as error:
        if sqlstate_of(error)[:2] == _BAD_VALUE:
            sentence = f"Postgres can't hold a row of {table.name}: {words_of(error)}"
            raise TransferFailed(sentence) from error
        raise


def _counting_on(tables: Sequence[Table]) -> Iterator[str]:
    """Numbers that Postgres gives begin behind those that are there."""
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            yield (
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "
                f'coalesce(max("{column.name}"), 1), max("{column.name}") IS NOT NULL) '
                f'FROM "{table.name}"'
            )


def _decoded(last_key: bytes) -> Row:
    return msgspec.msgpack.decode(last_key, type=Row)


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
