"""Webhooks of a real server, and a receiver that fails, hangs, leads away, is gone, and recovers."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until
from tests.e2e.webhooks import LOCAL, Stage, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path_factory.mktemp("webhooks"), variables=LOCAL) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def it(server: ServerProcess) -> AsyncIterator[Stage]:
    async with staged(server) as stage:
        yield stage


async def test_the_end_of_a_turn_is_posted_once_and_signed(it: Stage) -> None:
    turn = await it.turn()
    await until(lambda: len(it.receiver.received) == 1, SOON_S)
    (got,) = it.receiver.received
    assert got.signed_by == 1
    assert (got.body["type"], got.data["turnId"]) == ("turn.ended", turn.turn_id)
