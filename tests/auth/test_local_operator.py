"""The local operator: a key for whoever can read the data directory, and nobody else."""

import asyncio
import logging
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.secret_files import (
    ExposedFileError,
    PrivateFile,
    create_private,
    read_private,
)
from antiphon_server.auth.adapters.server_secret import UnusableSecretError, load_or_create
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.model import User
from antiphon_server.auth.service.local_operator import MOST_NODES, NAME, Living, nobody
from antiphon_server.runtime.errors import Reason
from tests.auth.world import World, open_world, reason
from tests.fakes.databases import opened_sqlite


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
async def operated(world: World) -> World:
    """The service with the local operator."""
    await world.auth.greet()
    return world


async def test_first_start_makes_private_files(tmp_path: Path) -> None:
    """Directory 0700, files 0600 under any umask; the key signs the operator in."""
    data_dir, old = tmp_path / "new" / "data", os.umask(0)
    async with opened_sqlite(metadata) as database:
        try:
            world = await open_world(data_dir, database=database)
            await world.auth.greet()
        finally:
            os.umask(old)
        assert mode(data_dir) == 0o700
        assert {file.name: mode(file) for file in data_dir.iterdir()} == {
            "auth.key": 0o600,
            "operator.key": 0o600,
        }
        secret = key_in(data_dir)
        signed_in = await world.login_by_key(secret)
        assert (signed_in.user.name, signed_in.user.operator) == ("local", True)
        assert (await world.verify(signed_in.tokens.access_token)).operator
        await world.close()


async def test_a_good_key_is_kept(operated: World, tmp_path: Path) -> None:
    """A second start changes nothing, and its sessions live on."""
    before = (tmp_path / "operator.key").read_bytes()
    tokens = (await operated.login_by_key(key_in(tmp_path))).tokens
    await operated.restart()
    await operated.auth.greet()
    assert (tmp_path / "operator.key").read_bytes() == before
    await operated.verify(tokens.access_token)
    user = await operated.accounts.users.named(NAME)
    assert len(await operated.accounts.api_keys.list_keys(user.user_id, None, 9)) == 1


async def test_servers_that_share_a_store_have_a_key_each(world: World, tmp_path: Path) -> None:
    """One that starts, or lost its own, leaves the others theirs; of many the oldest go."""
    folders = [tmp_path / str(number) for number in range(MOST_NODES + 2)]
    for folder in folders:
        await greet_from(world, folder)
    (folders[-1] / "operator.key").unlink()
    await greet_from(world, folders[-1])
    assert await known(world, folders) == [False, False, *[True] * MOST_NODES]


async def test_a_running_server_keeps_its_key(world: World, tmp_path: Path) -> None:
    """However many come after it: those go whose servers are gone."""
    folders = [tmp_path / str(number) for number in range(MOST_NODES + 8)]
    running = {folder.name for folder in folders[:4]}

    async def living() -> frozenset[str]:
        return frozenset(running)

    for folder in folders:
        await greet_from(world, folder, living)
    left = [True] * 4 + [False] * 8 + [True] * (MOST_NODES - 4)
    assert await known(world, folders) == left
    running.update(folder.name for folder in folders[12:])  # more than MOST_NODES, with it
    await greet_from(world, tmp_path / "last", living)
    assert await known(world, folders) == left


async def greet_from(world: World, data_dir: Path, living: Living = nobody) -> None:
    """A server of that name on the world's store begins, and ends."""
    secret = load_or_create(data_dir.parent / "auth.key")
    server = await open_world(
        data_dir,
        database=world.database,
        clock=world.clock,
        node=data_dir.name,
        secret=secret,
        living=living,
    )
    world.clock.time += 1.0
    await server.auth.greet()
    await server.close()


async def known(world: World, folders: Sequence[Path]) -> list[bool]:
    """Whether the key in each folder is one of an account."""
    find = world.accounts.api_keys.find
    return [await find(key_in(folder)) is not None for folder in folders]


def key_in(data_dir: Path) -> str:
    """The operator's key."""
    return (data_dir / "operator.key").read_text().strip()


def _link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "lost": Path.unlink,
    "garbled": lambda path: path.write_bytes(b"\xff\x00garbage"),
    "empty": lambda path: path.write_bytes(b""),
    "exposed": lambda path: path.chmod(0o644),
    "a link": _link,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_lost_key_is_replaced_and_revoked(
    operated: World, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """A missing, unreadable or exposed file gets a new key; the old one buys nothing."""
    old = key_in(tmp_path)
    tokens = (await operated.login_by_key(old)).tokens
    damage(tmp_path / "operator.key")
    await operated.restart()
    await operated.auth.greet()
    new = key_in(tmp_path)
    assert mode(tmp_path / "operator.key") == 0o600
    assert not (tmp_path / "operator.key").is_symlink()
    await operated.login_by_key(new)
    assert await reason(operated.login_by_key(old)) is Reason.CREDENTIALS_INVALID
    assert await reason(operated.verify(tokens.access_token)) is Reason.SESSION_REVOKED


async def test_a_full_list_of_keys_stops_no_start(operated: World, tmp_path: Path) -> None:
    """There is always room for the operator's own key."""
    user, keys = await operated.accounts.users.named(NAME), operated.accounts.api_keys
    for _ in range(99):
        await keys.create(user.user_id, "ci", None)
    await operated.accounts.local_operator.ensure()
    listed = await keys.list_keys(user.user_id, None, 200)
    (key,) = (key for key in listed if key.label == "operator.key")
    await keys.revoke(key.key_id)
    await keys.create(user.user_id, "ci", None)
    await operated.accounts.local_operator.ensure()
    await operated.login_by_key(key_in(tmp_path))


async def test_an_ordinary_user_called_local_gets_no_operator_key(
    world: World, tmp_path: Path
) -> None:
    """The name alone gives nobody rights, and keeps no server from starting."""
    await world.user(NAME)
    await world.auth.greet()
    assert not (tmp_path / "operator.key").exists()


async def test_secrets_stay_out_of_logs(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Making, losing and replacing keys prints none of them."""
    caplog.set_level(logging.DEBUG)
    await world.auth.greet()
    first = key_in(tmp_path)
    (tmp_path / "operator.key").unlink()
    await world.restart()
    await world.auth.greet()
    second = key_in(tmp_path)
    for secret in (first, second, (tmp_path / "auth.key").read_text().strip()):
        assert secret not in caplog.text


@pytest.mark.parametrize("permission", [0o640, 0o604, 0o660, 0o620])
def test_an_exposed_server_secret_stops_the_start(tmp_path: Path, permission: int) -> None:
    """What others could read or write is not used."""
    load_or_create(tmp_path / "auth.key")
    (tmp_path / "auth.key").chmod(permission)
    with pytest.raises(ExposedFileError, match="chmod 600"):
        load_or_create(tmp_path / "auth.key")


@pytest.mark.parametrize("content", [b"", b"short", b"!" * 44, b"A" * 43 + b"\n", b"x" * 5000])
def test_a_damaged_server_secret_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    """The start fails and the file is as it was."""
    path = tmp_path / "auth.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises((UnusableSecretError, ExposedFileError)):
        load_or_create(path)
    assert path.read_bytes() == content


def test_the_server_secret_is_the_same_at_each_start(tmp_path: Path) -> None:
    """What it sealed it opens again; each purpose is apart."""
    first = load_or_create(tmp_path / "auth.key")
    again = load_or_create(tmp_path / "auth.key")
    assert first.derive("a") == again.derive("a") != again.derive("b")
    sealed = first.seal(b"plain", "a")
    assert again.open(sealed, "a") == b"plain"
    assert sealed != first.seal(b"plain", "a")
    assert again.open(sealed, "b") is None
    assert again.open(sealed[:-1], "a") is None
    assert again.open(b"", "a") is None


def test_a_server_secret_is_made_once(tmp_path: Path) -> None:
    """Processes that start at once agree on the one that was made first."""
    create_private(tmp_path / "auth.key", b"first")
    create_private(tmp_path / "auth.key", b"second")
    assert read_private(tmp_path / "auth.key") == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["auth.key"]


def test_a_crash_while_writing_leaves_the_old_or_the_new_secret(tmp_path: Path) -> None:
    """A half-written file beside the real one is no obstacle."""
    file = PrivateFile(tmp_path / "operator.key")
    file.write("old")
    (tmp_path / f".operator.key.{os.getpid()}.new").write_text("ha")
    assert file.read() == "old"
    file.write("new")
    assert file.read() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["operator.key"]


async def test_servers_that_start_at_once_have_one_operator(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one makes the user after this one has looked for it."""
    find = world.stores.users.find
    looked = asyncio.Event()

    async def looks_too_early(name: str) -> User | None:
        found = await find(name)
        if not looked.is_set():
            looked.set()
            await world.user(NAME, "", operator=True)
        return found

    monkeypatch.setattr(world.stores.users, "find", looks_too_early)
    await world.accounts.local_operator.ensure()
    signed_in = await world.login_by_key(key_in(tmp_path))
    assert (signed_in.user.name, signed_in.user.operator) == (NAME, True)
