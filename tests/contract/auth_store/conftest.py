"""Each store of identity."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.ports import Stores
from tests.fakes.databases import KINDS, opened_database


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Each set of stores, empty."""
    async with opened_database(request, tmp_path, metadata) as database:
        yield sql_stores(database)
