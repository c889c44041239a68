from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.apart.installation import Installation, installation


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apart(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation for the tests of one file, which leave all of it running."""
    behind = {"behind_proxy": True}  # so that a test may say where its caller is
    async with installation(tmp_path_factory.mktemp("apart"), **behind) as made:
        yield made
