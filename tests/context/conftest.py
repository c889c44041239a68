from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.context.world import KINDS, World
from tests.context.world import world as make_world


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A fresh world on each kind of store and log."""
    async with make_world(request.param, tmp_path) as made:
        yield made
