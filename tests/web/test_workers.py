"""Workers, and turns that turns have asked for, on the pages: real ones at a real server."""

from pathlib import Path

import pytest

from tests.e2e.server import ServerProcess
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.calling import CALLING
from tests.web.control import Control, wishes_of
from tests.web.crew import Crew
from tests.web.vitest import IN_A_BROWSER, passes


@pytest.mark.needs(*IN_A_BROWSER)
@pytest.mark.parametrize("name", ["workers", "trees"])
async def test_what_is_seen_of_workers(name: str, tmp_path: Path) -> None:
    """Each file of `clients/web/tests` passes."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour()) as endpoint,
        ServerProcess(tmp_path / "server", models=[CALLING], variables=variables) as server,
        Crew(server, tmp_path / "crew.log") as crew,
        Control(wishes_of(server, endpoint) | crew.wishes) as control,
    ):
        await passes(name, f"http://127.0.0.1:{port}", control, tmp_path)
        assert server.defects == []
