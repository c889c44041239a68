"""Statements of hot paths: written with SQLAlchemy, compiled once, run by the driver.

SQLAlchemy's execution costs some 60 microseconds a statement; the driver's own costs
about five. What is given up is what these statements don't use: converted types
(booleans come back as 0 and 1 from SQLite), named columns, lists that expand.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect, Table, bindparam, insert

Row = tuple[Any, ...]
Values = Mapping[str, Any]

MAX_ROWS = 64
FEW_ROWS = 4
"""For up to so many there is a statement of each number."""


class _Compiled:
    """A statement's text for one kind of database, and the order of its parameters."""

    __slots__ = ("bind", "sql")

    def __init__(self, statement: ClauseElement, dialect: Dialect, suffix: str) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self.sql = compiled.string + suffix
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        if compiled.positional:
            names = tuple(compiled.positiontup)
            self.bind: Callable[[Values], Any] = _in_order(names, fixed)
        else:
            self.bind = lambda values: {**fixed, **values}


def _in_order(names: tuple[str, ...], fixed: Values) -> Callable[[Values], Row]:
    if fixed:
        return lambda values: tuple(
            [values[name] if name in values else fixed[name] for name in names]
        )
    return lambda values: tuple([values[name] for name in names])


class Prepared:
    """One statement. Its parameters are given by name, as to SQLAlchemy.

    Only its text is kept: what ``make`` writes it with is a hundred times larger.
    """

    __slots__ = ("_by_dialect", "_make", "_suffix")

    def __init__(self, make: Callable[[], ClauseElement], suffix: str = "") -> None:
        self._make = make
        self._suffix = suffix
        self._by_dialect: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Values) -> list[Row]:
        """All rows of a query."""
        compiled = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.execute(compiled.sql, compiled.bind(values))
        rows: list[Row] = cursor.fetchall()
        return rows

    def row(self, connection: Connection, values: Values) -> Row | None:
        """The first row, None if there is none."""
        rows = self.rows(connection, values)
        return rows[0] if rows else None

    def run(self, connection: Connection, values: Values) -> int:
        """Change something; returns how many rows."""
        compiled = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.execute(compiled.sql, compiled.bind(values))
        return int(cursor.rowcount)

    def run_all(self, connection: Connection, rows: Sequence[Values]) -> int:
        """Change something with each of ``rows``; returns how many rows were changed."""
        compiled = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.executemany(compiled.sql, [compiled.bind(row) for row in rows])
        return int(cursor.rowcount)

    def _compiled(self, connection: Connection) -> _Compiled:
        dialect = connection.dialect
        compiled = self._by_dialect.get(dialect.name)
        if compiled is None:
            compiled = _Compiled(self._make(), dialect, self._suffix)
            self._by_dialect[dialect.name] = compiled
        return compiled


class PreparedIn:
    """A statement with a list in it.

    ``make(places)`` writes it for that many items; item ``n`` is bound as the parameters
    ``{name}_{n}``. Lists of more than a few are filled up to the next power of two by repeating an
    item, so that few statements are compiled.
    """

    def __init__(self, make: Callable[[range], ClauseElement]) -> None:
        self._make = make
        self._by_size: dict[int, Prepared] = {}

    def rows(self, connection: Connection, items: Sequence[Values]) -> list[Row]:
        """All rows of the query for ``items``; none if there are no items."""
        if not items:
            return []
        return self._prepared(len(items)).rows(connection, self._filled(items))

    def run(self, connection: Connection, items: Sequence[Values]) -> int:
        """Change something about ``items``; returns how many rows were changed."""
        if not items:
            return 0
        return self._prepared(len(items)).run(connection, self._filled(items))

    def _prepared(self, items: int) -> Prepared:
        size = _filled_size(items)
        prepared = self._by_size.get(size)
        if prepared is None:
            prepared = Prepared(lambda: self._make(range(size)))
            self._by_size[size] = prepared
        return prepared

    def _filled(self, items: Sequence[Values]) -> Values:
        return _numbered([*items, *[items[0]] * (_filled_size(len(items)) - len(items))])


class PreparedInsert:
    """An INSERT of many rows in few statements.

    Each statement gives up the interpreter lock, and waiting to get it back takes longer under
    load than the statement itself. ``suffix`` follows the rows, such as ON CONFLICT.
    """

    def __init__(self, table: Table, suffix: str = "") -> None:
        self._table = table
        self._suffix = suffix
        self._by_size: dict[int, Prepared] = {}

    def run(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Insert ``rows``, which have the same columns."""
        for part in _parts(rows):
            self._prepared(part).run(connection, _numbered(part))

    def returned(self, connection: Connection, rows: Sequence[Values]) -> list[Row]:
        """Insert ``rows`` and return what the RETURNING clause of the suffix yields."""
        found: list[Row] = []
        for part in _parts(rows):
            found += self._prepared(part).rows(connection, _numbered(part))
        return found

    def _prepared(self, rows: Sequence[Values]) -> Prepared:
        size = len(rows)
        prepared = self._by_size.get(size)
        if prepared is None:
            columns = list(rows[0])
            prepared = Prepared(lambda: self._insert(size, columns), self._suffix)
            self._by_size[size] = prepared
        return prepared

    def _insert(self, size: int, columns: Sequence[str]) -> ClauseElement:
        types = {name: self._table.c[name].type for name in columns}
        return insert(self._table).values(
            [
                {name: bindparam(f"{name}_{n}", type_=types[name]) for name in columns}
                for n in range(size)
            ]
        )


def _parts(rows: Sequence[Values]) -> Iterator[Sequence[Values]]:
    """Pieces whose lengths are powers of two, the longest first; a few rows are one piece."""
    start = 0
    while start < len(rows):
        size = 1 << (min(len(rows) - start, MAX_ROWS).bit_length() - 1)
        size = len(rows) if len(rows) <= FEW_ROWS else size
        yield rows[start : start + size]
        start += size


def _filled_size(least: int) -> int:
    """The next one, from ``FEW_ROWS`` on."""
    return least if least <= FEW_ROWS else 1 << (least - 1).bit_length()


def _numbered(items: Sequence[Values]) -> Values:
    return {f"{name}_{n}": value for n, item in enumerate(items) for name, value in item.items()}


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.dbapi_connection
    return driver.cursor()
