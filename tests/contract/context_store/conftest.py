"""Every store of the context service keeps the same promises: each test runs on all."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from antiphon_server.context.ports import Store
from tests.fakes.databases import KINDS, opened_database


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each store, empty."""
    async with opened_database(request, tmp_path, metadata) as database:
        yield SqlStore(database)
