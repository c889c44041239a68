"""What a mesh on one machine does not do."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from antiphon_server.app.replicas import replicated
from antiphon_server.runtime.configuration import WrongSetting
from tests.mesh.nodes import settings_in


async def test_all_services_are_here(tmp_path: Path) -> None:
    """With some elsewhere it says so, and begins nothing: its edge would know none of them."""
    settings = replace(settings_in(tmp_path / "data"), port=0)
    settings = replace(settings, services=("auth",), secret_key_file=tmp_path / "secret.key")
    with pytest.raises(WrongSetting, match="runs all of them"):
        async with replicated(settings, 1, {}, lambda _part, _state: None):
            pass
