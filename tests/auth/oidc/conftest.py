from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.auth.oidc.issuer import Issuer
from tests.auth.oidc.rig import Rig, open_rig


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """The auth service with an identity provider on this machine."""
    async with open_rig(tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def issuer(rig: Rig) -> Issuer:
    """That provider."""
    return rig.issuer
