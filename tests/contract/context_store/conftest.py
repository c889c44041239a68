"""Every store of the context service keeps the same promises: each test runs on all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_server.context.adapters.memory import MemoryStore
from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.ports import Store
from antiphon_server.runtime.sqlite import SqliteDatabase


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    database = SqliteDatabase(tmp_path / "context.db")
    await database.write(metadata.create_all)
    yield SqlStore(database)
    await database.close()
