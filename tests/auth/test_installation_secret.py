"""The installation's secret by the environment: the way there, and a wrong one."""

import base64
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.secret_files import ExposedFileError
from antiphon_server.auth.adapters.server_secret import (
    MasterSecret,
    UnusableSecretError,
    given_secret,
)
from antiphon_server.auth.service.signing_keys import SealedByAnother
from antiphon_server.runtime.errors import Reason
from tests.auth.world import World, reason


async def test_from_the_file_to_the_environment(world: World, tmp_path: Path) -> None:
    """What the file holds, given by the environment, opens all: tokens and sessions live on."""
    tokens = (await world.newcomer()).tokens
    file = tmp_path / "auth.key"
    secret = given_secret(file.read_text(), None)
    assert secret is not None
    file.unlink()
    await world.restart(secret=MasterSecret(secret))
    await world.verify(tokens.access_token)
    await world.refresh(tokens.refresh_token)
    assert not file.exists()


async def test_another_secret_is_refused(world: World) -> None:
    """It would sign everybody out: the start ends before anything is changed."""
    kept = await world.stores.signing_keys.list_valid(0)
    with pytest.raises(SealedByAnother):
        await world.restart(secret=MasterSecret(b"x" * 32))
    assert await world.stores.signing_keys.list_valid(0) == kept


async def test_a_lost_secret_is_begun_anew(world: World, tmp_path: Path) -> None:
    """Without any one is made: refresh tokens are refused, new logins work, and then it counts."""
    old = (await world.newcomer()).tokens
    (tmp_path / "auth.key").unlink()
    await world.restart()
    await world.verify(old.access_token)
    assert await reason(world.refresh(old.refresh_token)) is Reason.CREDENTIALS_INVALID
    fresh = (await world.login()).tokens
    await world.restart()
    await world.verify(fresh.access_token)


async def test_the_secret_can_be_a_file(tmp_path: Path) -> None:
    """Only one that nobody else can read, and never half a secret."""
    path = tmp_path / "secret"
    path.write_text(base64.b64encode(b"r" * 32).decode() + "\n")
    path.chmod(0o644)
    with pytest.raises(ExposedFileError):
        given_secret(None, path)
    path.chmod(0o400)
    assert given_secret(None, path) == b"r" * 32
    path.chmod(0o600)
    path.write_text(base64.b64encode(b"r" * 31).decode())
    with pytest.raises(UnusableSecretError, match="secret holds no secret; it must be 32 random"):
        given_secret(None, path)
    with pytest.raises(UnusableSecretError, match="missing: No such file"):
        given_secret(None, tmp_path / "missing")


def test_none_is_given() -> None:
    """Then the data folder's own is meant."""
    assert given_secret(None, None) is None
