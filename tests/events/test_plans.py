"""However long a log is, and however many there are, a commit reads what it needs."""

import pytest
from sqlalchemy import ClauseElement, Connection, delete
from sqlalchemy.dialects import sqlite

from antiphon_server.events.adapters import sql_append
from antiphon_server.events.adapters.tables import log
from antiphon_server.runtime.storage.database import Database

PLACES = (1, 2, 8)


def statements(places: range) -> dict[str, ClauseElement]:
    """What a commit of so many appends looks up, and removes."""
    return {
        "scopes": sql_append._scopes(places),
        "requests": sql_append._requests(places),
        "fences": sql_append._fences(places),
        "deltas": sql_append._deltas_of(places),
        "folded": delete(log).where(sql_append._deltas(places)),
    }


def plan(connection: Connection, statement: ClauseElement) -> list[str]:
    """How SQLite goes about it."""
    compiled = statement.compile(dialect=sqlite.dialect())
    names = list(compiled.params)
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple("1" for _ in names))
    return [str(row[3]) for row in rows]


@pytest.mark.parametrize("count", PLACES)
async def test_a_commit_searches_and_never_scans(count: int, database: Database) -> None:
    """Each row is found by all of its key, for one append and for many."""
    for name, statement in statements(range(count)).items():
        steps = await database.read(lambda it, what=statement: plan(it, what))  # type: ignore[misc]
        reads = [step for step in steps if "events_" in step]
        assert reads, (name, steps)
        assert not [step for step in reads if step.startswith("SCAN")], (name, steps)
        keyed = [step for step in reads if " AND " in step or name == "scopes"]
        assert keyed == reads, (name, steps)
