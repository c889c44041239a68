from collections.abc import AsyncIterator

import pytest

from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Database
from tests.fakes.postgres import Postgres
from tests.runtime.events_service import Events


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """One that servers share."""
    async with postgres.opened() as opened:
        yield opened
