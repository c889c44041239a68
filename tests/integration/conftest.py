"""A generator on an endpoint of its own for each test."""

from collections.abc import AsyncIterator

import pytest

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.fakes.databases import opened_sqlite
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.world import World


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeEndpoint]:
    """It answers with four words."""
    async with FakeEndpoint(Behaviour(deltas=4)) as endpoint:
        yield endpoint


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    """How it is reached."""
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
async def world(endpoint: FakeEndpoint, pool: HttpPool) -> AsyncIterator[World]:
    """A generator on a ledger, with models of the endpoint."""
    async with opened_sqlite(metadata) as database:
        world = World(endpoint, pool, database)
        yield world
        await world.close()
