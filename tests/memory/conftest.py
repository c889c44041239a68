from collections.abc import AsyncIterator

import pytest

from tests.context.world import World
from tests.context.world import world as make_world
from tests.memory.search_world import Search, searcher


@pytest.fixture
async def search() -> AsyncIterator[Search]:
    """Search on a fresh world."""
    async with searcher() as made:
        yield made


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, without search."""
    async with make_world() as made:
        yield made
