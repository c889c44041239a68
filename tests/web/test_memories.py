"""What is remembered about somebody, on the page of a real server."""

from pathlib import Path

import pytest

from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.control import Control, wishes_of
from tests.web.vitest import IN_A_BROWSER, passes


@pytest.mark.needs(*IN_A_BROWSER)
async def test_what_is_seen_of_what_is_remembered(tmp_path: Path) -> None:
    """Each test of `clients/web/tests/memories.test.ts` passes."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour()) as endpoint,
        ServerProcess(tmp_path / "server", variables=variables) as server,
        Control(wishes_of(server, endpoint)) as control,
    ):
        await passes("memories", f"http://127.0.0.1:{port}", control, tmp_path)
        assert server.defects == []
