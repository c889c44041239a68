"""Searching on the page, in what a real server has."""

from pathlib import Path

import pytest

from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.proofs.bench.processes import free_port
from tests.web.control import Control, wishes_of
from tests.web.vitest import IN_A_BROWSER, NEEDED, passes


@pytest.mark.needs(*NEEDED)
@pytest.mark.parametrize(
    "name", ["found", pytest.param("search", marks=pytest.mark.needs(*IN_A_BROWSER))]
)
async def test_what_is_seen_of_a_search(name: str, tmp_path: Path) -> None:
    """Each test of `found.test.ts` and `search.test.ts` in `clients/web/tests` passes."""
    port = free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour(deltas=1, text="An answer.")) as endpoint,
        ServerProcess(
            tmp_path / "server",
            models=[openai_model("fake/model", endpoint.base_url)],
            variables=variables,
        ) as server,
        Control(wishes_of(server, endpoint)) as control,
    ):
        await passes(name, f"http://127.0.0.1:{port}", control, tmp_path)
        assert server.defects == []
