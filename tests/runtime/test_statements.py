"""Statements that the driver runs do what SQLAlchemy would have done."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    insert,
    select,
    update,
)

from antiphon_server.runtime.storage.statements import Prepared, PreparedIn, PreparedInsert

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("name", String(10), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("body", LargeBinary, nullable=True),
    Column("good", Boolean, nullable=False, default=True),
)
NAMED = PreparedIn(
    lambda places: (
        select(things.c.name, things.c.number)
        .where(things.c.name.in_([bindparam(f"name_{n}") for n in places]))
        .order_by(things.c.number)
    )
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory, with the table."""
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        metadata.create_all(opened)
        yield opened
    engine.dispose()


def rows(count: int) -> list[dict[str, object]]:
    """Make rows."""
    return [{"name": f"n{n}", "number": n, "body": b"x", "good": n % 2 == 0} for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 65, 200])
def test_many_rows_are_inserted_and_found(connection: Connection, count: int) -> None:
    """Whatever their number, all are there, once; a list of any length finds them."""
    PreparedInsert(things).run(connection, rows(count))
    assert connection.execute(select(things.c.number)).scalars().all() == list(range(count))
    asked = [{"name": f"n{n}"} for n in range(count)]
    assert [number for _, number in NAMED.rows(connection, asked)] == list(range(count))


def test_rows_that_are_there_are_left_and_the_new_ones_told(connection: Connection) -> None:
    """An insert with RETURNING says which rows it has added."""
    adding = PreparedInsert(things, " ON CONFLICT DO NOTHING RETURNING name")
    assert adding.returned(connection, rows(2)) == [("n0",), ("n1",)]
    assert adding.returned(connection, rows(3)) == [("n2",)]


def test_fixed_values_and_parameters_stand_together(connection: Connection) -> None:
    """What the statement itself says need not be given, and what is given goes in its place."""
    given: dict[str, Any] = {name: bindparam(name) for name in ("name", "number", "body")}
    add = Prepared(lambda: insert(things).values(good=True, **given))
    assert add.run(connection, {"name": "a", "number": 7, "body": None}) == 1
    change = Prepared(
        lambda: (
            update(things)
            .where(things.c.name == bindparam("b_name"))
            .values(number=bindparam("to"))
        )
    )
    assert change.run_all(connection, [{"b_name": "a", "to": 8}, {"b_name": "b", "to": 9}]) == 1
    find = Prepared(lambda: select(things).where(things.c.number > bindparam("least")).limit(5))
    assert find.row(connection, {"least": 7}) == ("a", 8, None, 1)
    assert find.row(connection, {"least": 8}) is None
