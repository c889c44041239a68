"""A dispatcher for each test."""

from collections.abc import AsyncIterator

import pytest

from antiphon_server.runtime.storage.database import Database
from tests.dispatcher.world import TABLES, World, world
from tests.fakes.databases import opened_sqlite


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """Where turns are kept, for a store with which something is the matter."""
    async with opened_sqlite(*TABLES) as opened:
        yield opened


@pytest.fixture
async def it() -> AsyncIterator[World]:
    """A dispatcher with one conversation."""
    async with world() as made:
        yield made
