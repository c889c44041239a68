from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.callers import Caller, operator
from tests.e2e.server import ServerProcess
from tests.proofs.wire.targets import MODEL


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server for the tests of one file: it must live through them all and log no defect."""
    async with ServerProcess(tmp_path_factory.mktemp("server"), model=MODEL) as server:
        yield server
        assert server.exits == 0
        assert server.defects == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def boss(server: ServerProcess) -> Caller:
    """The local operator."""
    return await operator(server)
