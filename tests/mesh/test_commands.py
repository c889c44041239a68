"""The mesh as the guide begins it: `antiphon mesh`, and a server that registers there."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.e2e.until import until_it
from tests.mesh.commands import Command, output
from tests.mesh.world import HOST
from tests.proofs.bench.processes import free_port

PORTS = ("port", "ads_port", "inside_port", "edge_port")


async def test_the_guides_three_commands_work_on_one_folder(tmp_path: Path) -> None:
    """Other commands find the edge by the data folder, and no more when it is gone.

    A second mesh of that folder is refused, and takes nothing away.
    """
    ports = {name: free_port() for name in PORTS}
    told = tmp_path / "data" / "server.json"
    variables = {
        "ANTIPHON_DATA_DIR": str(told.parent),
        "ANTIPHON_MESH": json.dumps(ports),
        "XDG_STATE_HOME": str(tmp_path),
    }
    own = {
        "ANTIPHON_REGISTRY": f"{HOST}:{ports['port']}",
        "ANTIPHON_MODEL": "scripted/echo",
        "ANTIPHON_ADMIN_PORT": "0",
    }

    async def healthy() -> bool:
        return "healthy" in (await output(variables, "mesh", "status"))[1]

    edge = Command(tmp_path / "edge.log", variables, "mesh", "--web")
    server = Command(tmp_path / "up.log", variables | own, "up", "--port", "0")
    async with edge, server:
        await until_it(healthy)
        where = json.loads(await asyncio.to_thread(told.read_text))
        assert where["address"] == f"{HOST}:{ports['edge_port']}"
        refused, said = await output(variables, "up", "--mesh")
        assert refused, said
        assert json.loads(await asyncio.to_thread(told.read_text)) == where
    assert not await asyncio.to_thread(told.exists)
    farewell = edge.output.splitlines()
    page = f"In a browser: http://{HOST}:{ports['edge_port']}/ (`antiphon web` shows a link"
    assert any(line.startswith(page) for line in farewell)
    assert farewell[-1] == "The edge has stopped. Servers run on, without it."


@pytest.mark.parametrize("command", [["mesh"], ["up", "--mesh"], ["mesh", "render"]])
async def test_an_edge_that_asks_for_no_certificates_says_so(
    tmp_path: Path, command: list[str]
) -> None:
    """Who wants clients to show one is not left to believe that they must."""
    variables = {
        "ANTIPHON_DATA_DIR": str(tmp_path / "data"),
        "ANTIPHON_TLS_CERT": "edge.pem",
        "ANTIPHON_TLS_KEY": "edge.key",
        "ANTIPHON_TLS_CLIENT_CA": "ca.pem",
    }
    code, said = await output(variables, *command)
    assert code
    assert "the edge asks its clients for no certificates" in said
