"""A few rows at a time are so many and no more, whatever plan the database makes."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text

from antiphon_server.notifying.adapters.tables import notes
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.unheld import unheld
from tests.fakes.databases import on_each_kind

ROWS, FEW = 30, 10
FEWER_PLANS = ["hashjoin", "mergejoin", "hashagg", "sort", "material"]

database = on_each_kind(lambda it: it, notes.metadata)


@pytest.fixture
async def it(database: Database) -> Database:
    rows = [
        {"notification_id": f"ntf_{it:08}", "created_us": it, "creator": "", "body": b""}
        for it in range(ROWS)
    ]
    await database.write(lambda it: it.execute(insert(notes), rows))
    return database


def remove_few(connection: Connection, without: Sequence[str]) -> int:
    """How many rows went, where the database may not plan with ``without``."""
    if connection.dialect.name == "postgresql":
        for each in without:
            connection.execute(text(f"SET LOCAL enable_{each} = off"))
    few = select(*notes.primary_key).limit(FEW)
    return connection.execute(delete(notes).where(unheld(few))).rowcount


@pytest.mark.parametrize("without", [(), FEWER_PLANS], ids=["as planned", "in a nested loop"])
async def test_a_few_are_no_more(it: Database, without: Sequence[str]) -> None:
    assert await it.write(lambda connection: remove_few(connection, without)) == FEW
    left = await it.read(lambda found: found.execute(select(func.count()).select_from(notes)))
    assert left.scalar_one() == ROWS - FEW
