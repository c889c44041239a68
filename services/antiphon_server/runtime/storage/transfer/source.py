"""Reading all of an SQLite file that no server uses."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Boolean, Table

from antiphon_server.runtime.storage.transfer.digest import Row

BATCH_BYTES = 4 << 20
BATCH_ROWS = 5000


class SqliteSource:
    """The rows of a file, as Postgres' driver takes them; the caller keeps servers out of it.

    It may be used by one thread at a time, whichever.
    """

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error for what is no database."""
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # What an earlier process left in the log belongs into the file, which is then all of it.
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self._connection.execute("PRAGMA query_only=ON")
        found = path.stat()
        self.state = f"{found.st_size}:{found.st_mtime_ns}"
        """Differs as soon as a server has written to the file."""

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def count(self, table: Table) -> int:
        """How many rows it has."""
        (count,) = self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()
        return int(count)

    def rows(self, table: Table) -> Iterator[Row]:
        """All rows, in no order."""
        return self._converted(table, self._connection.execute(_select(table)))

    def batches(self, table: Table, after: Row | None) -> Iterator[list[Row]]:
        """The rows behind the one of that primary key, in the order of those keys.

        A batch has ``BATCH_ROWS`` rows and ``BATCH_BYTES`` bytes, or one row more than that.
        """
        key = ", ".join(f'"{column.name}"' for column in table.primary_key)
        marks = ", ".join("?" for _ in table.primary_key)
        behind = f"WHERE ({key}) > ({marks})" if after else ""
        found = self._connection.execute(f"{_select(table)} {behind} ORDER BY {key}", after or ())
        batch: list[Row] = []
        size = 0
        for row in self._converted(table, found):
            batch.append(row)
            size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _converted(self, table: Table, found: sqlite3.Cursor) -> Iterator[Row]:
        """SQLite has no booleans: a column of them holds 0 and 1. Postgres has no NUL in a text."""
        columns = enumerate(table.columns)
        booleans = [place for place, column in columns if isinstance(column.type, Boolean)]
        for row in found:
            values = [_without_nul(value) if isinstance(value, str) else value for value in row]
            for place in booleans:
                if values[place] is not None:
                    values[place] = bool(values[place])
            yield tuple(values)


def _without_nul(value: str) -> str:
    return value.replace("\0", "\ufffd") if "\0" in value else value


def key_of(table: Table, row: Row) -> Row:
    """The values of the row's primary key."""
    names = [column.name for column in table.columns]
    return tuple(row[names.index(column.name)] for column in table.primary_key)


def _select(table: Table) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    return f'SELECT {columns} FROM "{table.name}"'
