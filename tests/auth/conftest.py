from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.auth.world import World, open_world


@pytest.fixture(params=["memory", "sqlite"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """The auth service on each kind of store."""
    opened = await open_world(tmp_path, sqlite=request.param == "sqlite")
    yield opened
    await opened.close()
