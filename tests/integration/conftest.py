"""A generator on an endpoint of its own for each test."""

from collections.abc import AsyncIterator

import pytest

from antiphon_server.runtime.net.http_pool import HttpPool
from tests.fakes.openai_endpoint import Behaviour, FakeEndpoint
from tests.integration.world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A generator on a ledger in memory; its models answer with four words."""
    pool = HttpPool()
    async with FakeEndpoint(Behaviour(deltas=4)) as endpoint:
        world = World(endpoint, pool)
        yield world
        await world.close()
        await pool.close()
