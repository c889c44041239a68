"""`antiphon up`, of one server and of a mesh, heeds who ends it while it starts."""

import asyncio
import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.e2e.until import SOON_S
from tests.mesh.commands import Command

SILENT = "postgresql://nobody@127.0.0.1:{}/none"


def up(home: Path, variables: dict[str, str], *more: str) -> Command:
    """The command, on data of its own."""
    words = ("up", *more, "--port", "0", "--data-dir", str(home / "data"))
    return Command(home / "log", variables, *words, "--model", "scripted/test")


@pytest.mark.parametrize("awaited", ["Postgres", "name"])
async def test_a_server_ends_before_it_is_up(tmp_path: Path, awaited: str) -> None:
    """It waits for a Postgres that is silent, or for its name to be known, and ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {"ANTIPHON_DATABASE_URL": SILENT.format(silent.getsockname()[1])}
        if awaited == "name":
            variables = {"ANTIPHON_REGISTRY": "127.0.0.1:1"}
            variables["ANTIPHON_NODE_ADDRESS"] = "server.invalid:1"
        async with up(tmp_path, variables, "--admin-port", "0") as server:
            if awaited == "Postgres":
                async with asyncio.timeout(60):
                    caller, _ = await asyncio.to_thread(silent.accept)
            else:
                caller = silent
                await server.says("waiting until server.invalid is known")
            with caller:
                server.signal(signal.SIGTERM)
                assert await server.ends(SOON_S) == 0, server.output
    assert "serves on" not in server.output


@pytest.mark.parametrize("part", ["Postgres", "servers"])
async def test_it_ends_before_it_is_up(tmp_path: Path, part: str) -> None:
    """A server waits for a Postgres that is silent, or one is being set up: it ends all the same.

    It ends as it does after it was up, leaves nobody behind, and never says that it serves.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = SILENT.format(silent.getsockname()[1])
        variables = {"ANTIPHON_DATABASE_URL": url} if part == "servers" else {}
        async with up(tmp_path, variables, "--mesh", "--replicas", "2") as mesh:
            await mesh.says(f"{part}: starting\n")
            started = psutil.Process(mesh.pid).children(recursive=True)
            mesh.signal(signal.SIGTERM)
            assert await mesh.ends(60) == 0, mesh.output
    assert "serves on" not in mesh.output
    assert "servers: 2 of 2" not in mesh.output
    assert (await asyncio.to_thread(psutil.wait_procs, started, SOON_S))[1] == []
