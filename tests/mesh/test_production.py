"""In production an edge that is not fit for strangers does not start."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_server.app.control_plane import serve_mesh
from antiphon_server.app.replicas import serve_replicated
from antiphon_server.hardening import Insecure
from antiphon_server.settings import Settings
from tests.mesh.nodes import PORTS, settings_in


def told(_: object) -> None:
    """It must not get so far."""
    raise AssertionError("it serves")


def in_production(folder: Path, **mesh: Any) -> Settings:
    """Settings of a mesh that nobody has made safe."""
    found = settings_in(folder, replace(PORTS, **mesh))
    folder.chmod(0o700)
    return replace(found, env="production", port=0)


def names(refused: pytest.ExceptionInfo[Insecure]) -> list[str]:
    """The checks that refuse."""
    return [weakness.check.name for weakness in refused.value.weaknesses]


async def test_a_mesh_in_clear_does_not_start(tmp_path: Path) -> None:
    """Neither an edge without TLS, nor a registry that is reached from elsewhere in clear."""
    settings = in_production(tmp_path / "data", host="0.0.0.0", edge_host="0.0.0.0")
    with pytest.raises(Insecure) as refused:
        await serve_mesh(settings, told)
    assert names(refused) == ["TLS", "secret's place", "peers"]


async def test_nor_do_replicas_behind_an_edge_in_clear(tmp_path: Path) -> None:
    """That the servers behind it have a proxy does not make the edge safe."""
    settings = replace(in_production(tmp_path / "data"), reflection=True)
    with pytest.raises(Insecure) as refused:
        await serve_replicated(settings, 1, {}, lambda _part, _state: None, told)
    assert names(refused) == ["TLS", "reflection", "secret's place"]
