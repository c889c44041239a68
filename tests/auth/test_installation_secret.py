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
from tests.auth.world import World, open_world, reason


async def reopened(before: World, data_dir: Path, secret: MasterSecret | None) -> World:
    """The next process on the same stores."""
    return await open_world(data_dir, stores=before.stores, clock=before.clock, secret=secret)


async def test_from_the_file_to_the_environment(tmp_path: Path) -> None:
    """What the file holds, given by the environment, opens all: tokens and sessions live on."""
    before = await open_world(tmp_path / "a")
    await before.user()
    tokens = (await before.login()).tokens
    text = (tmp_path / "a" / "auth.key").read_text()
    secret = given_secret(text, None)
    assert secret is not None
    after = await reopened(before, tmp_path / "b", MasterSecret(secret))
    await after.auth.verifier.verify(tokens.access_token)
    await after.auth.accounts.sessions.refresh(tokens.refresh_token)
    assert not (tmp_path / "b").exists()


async def test_another_secret_is_refused(tmp_path: Path) -> None:
    """It would sign everybody out: the start ends before anything is changed."""
    before = await open_world(tmp_path)
    kept = await before.stores.signing_keys.list_valid(0)
    with pytest.raises(SealedByAnother):
        await reopened(before, tmp_path, MasterSecret(b"x" * 32))
    assert await before.stores.signing_keys.list_valid(0) == kept


async def test_a_lost_secret_is_begun_anew(tmp_path: Path) -> None:
    """Without any secret one is made: all have to sign in again, and then it counts."""
    before = await open_world(tmp_path)
    await before.user()
    old = (await before.login()).tokens.refresh_token
    (tmp_path / "auth.key").unlink()
    after = await reopened(before, tmp_path, None)
    assert await reason(after.auth.accounts.sessions.refresh(old)) is Reason.CREDENTIALS_INVALID
    fresh = (await after.login()).tokens
    again = await reopened(after, tmp_path, None)
    await again.auth.verifier.verify(fresh.access_token)


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
