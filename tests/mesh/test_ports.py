"""An edge whose port is somebody else's says so, and shares it with nobody."""

import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from antiphon_server.app.control_plane import running_mesh
from antiphon_server.mesh.compose import edge_before
from antiphon_server.mesh.envoy.process import EnvoyDidNotStart
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.runtime.configuration import WrongSetting
from antiphon_server.runtime.net.ports import MOST_KEPT, kept_port
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.server import CannotListen
from tests.mesh.commands import output
from tests.mesh.nodes import PORTS, settings_in
from tests.mesh.world import HOST


def test_a_picked_port_is_for_whoever_asks_for_it_by_number() -> None:
    """The system gives it to nobody who asks for any; until 64 more were picked."""
    port, *more = [kept_port() for _ in range(MOST_KEPT)]
    assert port not in more
    with socket.socket() as other:
        with pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))
        socket.create_server((HOST, port)).close()
        kept_port()
        other.bind((HOST, port))


async def test_two_edges_do_not_share_a_port(tmp_path: Path) -> None:
    """The second one does not start: half of the first one's calls would be its own."""
    async with Lifecycle() as lifecycle:
        first = edge_before(Address(HOST, 1), Edge(Address(HOST, 0)), tmp_path / "first.log")
        port = await first.serve(lifecycle, grace_s=0)
        second = edge_before(Address(HOST, 1), Edge(Address(HOST, port)), tmp_path / "second.log")
        lifecycle.on_stop("second", second.stop)
        with pytest.raises(EnvoyDidNotStart, match="in use"):
            await second.start()


@pytest.mark.parametrize("name", ["edge_port", "inside_port"])
async def test_a_mesh_does_not_start_on_a_taken_port(tmp_path: Path, name: str) -> None:
    """Envoy would tell its log alone: the one who listens there would get the calls."""
    with socket.create_server((HOST, 0)) as stranger:
        taken = replace(PORTS, **{name: stranger.getsockname()[1]})
        settings = settings_in(tmp_path / "data", taken)
        with pytest.raises(CannotListen) as refused:
            async with running_mesh(settings):
                pass
    assert refused.value.setting == f"{name} in ANTIPHON_MESH"


async def test_the_access_log_s_folder_is_made(tmp_path: Path) -> None:
    """Envoy makes none, and would take no listener without it."""
    file = tmp_path / "logs" / "of the edge" / "access.log"
    settings = settings_in(tmp_path / "data", replace(PORTS, access_log=file))
    async with running_mesh(settings):
        assert file.exists()


async def test_an_access_log_that_can_not_be(tmp_path: Path) -> None:
    """It is said which setting it is about."""
    (tmp_path / "logs").write_text("a file")
    wrong = replace(PORTS, access_log=tmp_path / "logs" / "access.log")
    with pytest.raises(WrongSetting, match=r"access_log in ANTIPHON_MESH: .*access\.log: .+"):
        async with running_mesh(settings_in(tmp_path / "data", wrong)):
            pass


async def test_the_command_says_it(tmp_path: Path) -> None:
    """`antiphon up --mesh` ends with a sentence, before anything has been started."""
    with socket.create_server((HOST, 0)) as stranger:
        port = str(stranger.getsockname()[1])
        words = ("up", "--mesh", "--replicas", "2", "--port", port, "--model", "scripted/test")
        code, said = await output({}, *words, "--data-dir", str(tmp_path / "data"))
    assert code == 1
    (line,) = said.splitlines()
    assert f"can't listen on {HOST}:{port}" in line
    assert "--port" in line
