"""Statements of hot paths: written with SQLAlchemy, compiled once, run by the driver.

SQLAlchemy's execution costs some 60 microseconds a statement; the driver's own costs
about five. What is given up is what these statements don't use: converted types
(booleans come back as 0 and 1 from SQLite), named columns, lists that expand.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import ClauseElement, Connection, Dialect, Table, bindparam, insert

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Items = Sequence[Values]
Given = TypeVar("Given")
Binder = Callable[[tuple[str, ...] | None, Values], Callable[[Any], Any]]

MAX_ROWS = 64
FEW_ROWS = 4
"""For up to so many there is a statement of each number."""


class _Statement(Generic[Given]):
    """One statement. Only its text is kept: what ``make`` writes it with is a hundred times larger.

    ``binder`` makes of the names of its parameters, None where the driver takes names, and of those
    that have a value already, what turns given values into the driver's.
    """

    __slots__ = ("_binder", "_by_dialect", "_make", "_suffix")

    def __init__(self, make: Callable[[], ClauseElement], suffix: str, binder: Binder) -> None:
        self._make = make
        self._suffix = suffix
        self._binder = binder
        self._by_dialect: dict[str, tuple[str, Callable[[Given], Any]]] = {}

    def rows(self, connection: Connection, values: Given) -> list[Row]:
        """All rows of a query."""
        sql, bind = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.execute(sql, bind(values))
        rows: list[Row] = cursor.fetchall()
        return rows

    def row(self, connection: Connection, values: Given) -> Row | None:
        """The first row, None if there is none."""
        rows = self.rows(connection, values)
        return rows[0] if rows else None

    def run(self, connection: Connection, values: Given) -> int:
        """Change something; returns how many rows."""
        sql, bind = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.execute(sql, bind(values))
        return int(cursor.rowcount)

    def run_all(self, connection: Connection, rows: Sequence[Given]) -> int:
        """Change something with each of ``rows``; returns how many rows were changed."""
        sql, bind = self._compiled(connection)
        cursor = _cursor(connection)
        cursor.executemany(sql, [bind(row) for row in rows])
        return int(cursor.rowcount)

    def _compiled(self, connection: Connection) -> tuple[str, Callable[[Given], Any]]:
        dialect = connection.dialect
        compiled = self._by_dialect.get(dialect.name)
        if compiled is None:
            compiled = self._by_dialect[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> tuple[str, Callable[[Given], Any]]:
        compiled: Any = self._make().compile(dialect=dialect)
        names = tuple(compiled.positiontup) if compiled.positional else None
        fixed = {name: value for name, value in compiled.params.items() if value is not None}
        return compiled.string + self._suffix, self._binder(names, fixed)


class Prepared(_Statement[Values]):
    """One statement. Its parameters are given by name, as to SQLAlchemy."""

    __slots__ = ()

    def __init__(self, make: Callable[[], ClauseElement], suffix: str = "") -> None:
        super().__init__(make, suffix, _by_name)


class _OfItems(_Statement[Items]):
    """One statement. Item ``n`` is bound as the parameters ``{name}_{n}``."""

    __slots__ = ()

    def __init__(self, make: Callable[[], ClauseElement], suffix: str = "") -> None:
        super().__init__(make, suffix, _by_number)


class PreparedIn:
    """A statement with a list in it.

    ``make(places)`` writes it for that many items; item ``n`` is bound as the parameters
    ``{name}_{n}``. Lists of more than a few are filled up to the next power of two by repeating an
    item, so that few statements are compiled.
    """

    def __init__(self, make: Callable[[range], ClauseElement]) -> None:
        self._make = make
        self._by_size: dict[int, _OfItems] = {}

    def rows(self, connection: Connection, items: Items) -> list[Row]:
        """All rows of the query for ``items``; none if there are no items."""
        if not items:
            return []
        return self._prepared(len(items)).rows(connection, self._filled(items))

    def run(self, connection: Connection, items: Items) -> int:
        """Change something about ``items``; returns how many rows were changed."""
        if not items:
            return 0
        return self._prepared(len(items)).run(connection, self._filled(items))

    def _prepared(self, items: int) -> _OfItems:
        size = _filled_size(items)
        prepared = self._by_size.get(size)
        if prepared is None:
            prepared = _OfItems(lambda: self._make(range(size)))
            self._by_size[size] = prepared
        return prepared

    def _filled(self, items: Items) -> Items:
        return [*items, *[items[0]] * (_filled_size(len(items)) - len(items))]


class PreparedInsert:
    """An INSERT of many rows in few statements.

    Each statement gives up the interpreter lock, and waiting to get it back takes longer under
    load than the statement itself. ``suffix`` follows the rows, such as ON CONFLICT.
    """

    def __init__(self, table: Table, suffix: str = "") -> None:
        self._table = table
        self._suffix = suffix
        self._by_size: dict[int, _OfItems] = {}

    def run(self, connection: Connection, rows: Items) -> int:
        """Insert ``rows``, which have the same columns; returns how many were added or changed."""
        return sum(self._prepared(part).run(connection, part) for part in _parts(rows))

    def returned(self, connection: Connection, rows: Items) -> list[Row]:
        """Insert ``rows`` and return what the RETURNING clause of the suffix yields."""
        found: list[Row] = []
        for part in _parts(rows):
            found += self._prepared(part).rows(connection, part)
        return found

    def _prepared(self, rows: Items) -> _OfItems:
        size = len(rows)
        prepared = self._by_size.get(size)
        if prepared is None:
            columns = list(rows[0])
            prepared = _OfItems(lambda: self._insert(size, columns), self._suffix)
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


def _parts(rows: Items) -> Iterator[Items]:
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


def _by_name(names: tuple[str, ...] | None, fixed: Values) -> Callable[[Values], Any]:
    if names is None:
        return lambda values: {**fixed, **values}
    if fixed:
        return lambda values: tuple(
            [values[name] if name in values else fixed[name] for name in names]
        )
    return lambda values: tuple([values[name] for name in names])


def _by_number(names: tuple[str, ...] | None, fixed: Values) -> Callable[[Items], Any]:
    """Right from the items where order counts: one dictionary of all costs more than the rest."""
    if names is None:
        return lambda items: {**fixed, **_numbered(items)}
    places = [(-1, name) if name in fixed else _place(name) for name in names]

    def bind(items: Items) -> Row:
        given = [*items, fixed]
        return tuple([given[at][name] for at, name in places])

    return bind


def _numbered(items: Items) -> Values:
    return {f"{name}_{n}": value for n, item in enumerate(items) for name, value in item.items()}


def _place(parameter: str) -> tuple[int, str]:
    """The item whose value it is, and its name there."""
    name, _, number = parameter.rpartition("_")
    return int(number), name


def _cursor(connection: Connection) -> Any:
    driver: Any = connection.connection.dbapi_connection
    return driver.cursor()
