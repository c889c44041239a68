"""The library and the pages for browsers: their own tests, against a real server and Envoy."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.auth.oidc.issuer import CLIENT, SECRET, Issuer
from tests.e2e.server import ServerProcess, openai_model
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_endpoint import FakeEndpoint
from tests.integration.connections.mcp.asking import asking_server
from tests.proofs.bench.processes import ROOT, free_port
from tests.web.calling import CALLING
from tests.web.control import Control, wishes_of
from tests.web.vitest import IN_A_BROWSER, NEEDED, passes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class World:
    """Where the pages are, and who changes the world around them."""

    page: str
    control: Control
    data_dir: Path
    pictures: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A server with pages behind Envoy; its model answers as it is told."""
    home, port = tmp_path_factory.mktemp("web"), free_port()
    variables = {"ANTIPHON_WEB": "true", "ANTIPHON_WEB_PORT": str(port)}
    async with (
        FakeEndpoint(Behaviour(deltas=20, gap_ms=2)) as endpoint,
        Issuer(time.time) as issuer,
        asking_server(home / "done") as cakes,
    ):
        program = {"command": sys.executable, "arguments": ["-m", "tests.cli.large_results"]}
        variables["ANTIPHON_PROGRAMS"] = json.dumps({"large": program | {"folder": str(ROOT)}})
        connections = [
            {"name": "cakes", "title": "A bakery", "mcp": cakes},
            {"name": "gone", "mcp": f"http://127.0.0.1:{free_port()}/mcp"},
            {"name": "large", "program": "large"},
        ]
        variables["ANTIPHON_CONNECTIONS"] = json.dumps(connections)
        acme = {"name": "acme", "display_name": "Acme", "issuer": issuer.issuer, "sign_up": True}
        acme |= {"client_id": CLIENT, "client_secret_env": "ACME_SECRET"}
        variables |= {"ANTIPHON_IDENTITY_PROVIDERS": json.dumps([acme]), "ACME_SECRET": SECRET}
        prices = {"input_price_micros": 100_000, "output_price_micros": 400_000}
        models = [openai_model("fake/model", endpoint.base_url, **prices), CALLING]
        async with (
            ServerProcess(home, models=models, variables=variables) as server,
            Control(wishes_of(server, endpoint, issuer)) as control,
        ):
            yield World(f"http://127.0.0.1:{port}", control, server.data_dir, home)
            assert server.defects == []


async def test_the_operator_is_shown_a_link(world: World) -> None:
    """Whoever can read the data folder gets a link to the page, and nobody else does."""
    for data_dir, page in ((world.data_dir, world.page), (world.data_dir / "other", "")):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "antiphon_server", "web", "--data-dir", str(data_dir)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert (process.returncode == 0) == bool(page)
        assert output.decode().startswith(f"{page}/#link=" if page else "")
        assert bool(output) == bool(page)


@pytest.mark.needs(*NEEDED)
@pytest.mark.parametrize(
    "name",
    [
        *("parts", "closing", "library", "cuts"),
        *(
            pytest.param(name, marks=pytest.mark.needs(*IN_A_BROWSER))
            for name in (
                *("connections", "pages", "reading", "waiting", "keeping", "lists"),
                *("calls", "questions", "results", "usage", "providers"),
            )
        ),
    ],
)
async def test_tests_of_clients_web(name: str, world: World) -> None:
    """Each file of `clients/web/tests` passes, whatever another one has left."""
    await world.control.do("forget")
    await passes(name, world.page, world.control, world.pictures)
