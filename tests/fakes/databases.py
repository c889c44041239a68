"""The databases that a store's suite runs on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData

from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from tests.fakes.postgres import Postgres

KINDS = ["sqlite", "postgres"]


@asynccontextmanager
async def opened_database(
    request: pytest.FixtureRequest, folder: Path, *tables: MetaData
) -> AsyncIterator[Database]:
    """An empty database, with tables, of the kind that the fixture's parameter names."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        async with server.opened() as postgres:
            yield postgres
        return
    sqlite = SqliteDatabase(folder / "store.db")
    for each in tables:
        await sqlite.write(each.create_all)
    yield sqlite
    await sqlite.close()
