"""A dispatcher for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.dispatcher.world import World, world


@pytest.fixture
async def it() -> AsyncIterator[World]:
    """A dispatcher with one conversation."""
    async with world() as made:
        yield made
