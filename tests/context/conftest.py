from collections.abc import AsyncIterator

import pytest

from tests.context.world import World
from tests.context.world import world as make_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world."""
    async with make_world() as made:
        yield made
