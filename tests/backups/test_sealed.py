"""A backup with a key of its own: by that it comes back, and without it no copy says anything."""

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon_server.backups import (
    BackupFailed,
    back_up,
    check_backup,
    making,
    restore,
    send_backup,
)
from antiphon_server.backups.keys import Key, no_key, secrets_in
from antiphon_server.backups.sealing import opened, sealed_to
from antiphon_server.backups.shelf import Shelf
from antiphon_server.settings import Settings, read_settings
from tests.cli.conftest import Home

PIECE, TAG = 1 << 20, 16
KEY = Key("20261127T120000Z-00c0ffee", bytes(range(32)))
HEAD = len(b"antiphon sealed backup 1 " + KEY.name.encode() + b"\n")
CANARY = "555-0733-canary"


def sealed(plain: bytes) -> bytes:
    target = io.BytesIO()
    with sealed_to(target, KEY) as file:
        file.write(plain[: PIECE // 2])
        file.write(plain[PIECE // 2 :])
    return target.getvalue()


def unsealed(text: bytes) -> bytes:
    return opened(io.BytesIO(text), lambda _: KEY.secret).read()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE - 7])
def test_what_was_sealed_is_opened(size: int) -> None:
    """Whatever its length: the last piece may be as long as others, or empty."""
    plain = os.urandom(size)
    assert unsealed(sealed(plain)) == plain


class Pipe(io.RawIOBase):
    """A pipe, which gives less than was asked for."""

    def __init__(self, text: bytes) -> None:
        self._text = io.BytesIO(text)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray, /) -> int:  # type: ignore[override]
        given = self._text.read(min(len(buffer), 1000))
        buffer[: len(given)] = given
        return len(given)


def test_a_pipe_gives_pieces_of_its_own() -> None:
    """They are put together again."""
    plain = os.urandom(2 * PIECE + 5)
    source = io.BufferedReader(Pipe(sealed(plain)), 100)  # type: ignore[type-var]
    assert opened(source, lambda _: KEY.secret).read() == plain


def damaged(text: bytes) -> Iterator[tuple[str, bytes]]:
    one, two = HEAD + PIECE + TAG, HEAD + 2 * (PIECE + TAG)
    flipped = bytearray(text)
    flipped[one + 5] ^= 1
    yield "a bit", bytes(flipped)
    yield "cut within a piece", text[:-1]
    yield "cut between pieces", text[:two]
    yield "cut to its head", text[:HEAD]
    yield "more behind it", text + b"x"
    yield "a piece left out", text[:one] + text[two:]
    yield "pieces swapped", text[:HEAD] + text[one:two] + text[HEAD:one] + text[two:]
    yield "another name", text.replace(KEY.name.encode(), b"20261127T120000Z-00c0ffe0")


@pytest.mark.parametrize("what", [what for what, _ in damaged(bytes(HEAD + 4 * PIECE))])
def test_what_was_changed_is_found_out(what: str) -> None:
    """Nothing can be changed, cut off, added, left out or moved."""
    text = dict(damaged(sealed(os.urandom(2 * PIECE + 9))))[what]
    with pytest.raises(BackupFailed, match="not what was written"):
        unsealed(text)


def test_another_key_opens_nothing() -> None:
    """And where no keys are, it is said how to name their folder."""
    text = sealed(b"something")
    with pytest.raises(BackupFailed, match="not what was written"):
        opened(io.BytesIO(text), lambda _: bytes(32)).read()
    with pytest.raises(BackupFailed, match=f"'{KEY.name}': say by --keys"):
        opened(io.BytesIO(text), no_key)


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    """What a backup says of its key is no path."""
    (tmp_path / "other.key").write_bytes(KEY.secret)
    head = sealed(b"something").replace(KEY.name.encode(), b"../other")
    with pytest.raises(BackupFailed, match="not in"):
        opened(io.BytesIO(head), secrets_in(tmp_path / "keys"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a home whose server has been told something."""
    home = Home(tmp_path)
    assert home.run("chat", "--once", CANARY).returncode == 0
    return read_settings(data_dir=home.data_dir, model="scripted/test")


def test_only_its_key_opens_a_backup(settings: Settings, tmp_path: Path) -> None:
    """It says nothing without it, is put back with it, and both are their owner's alone."""
    folder, keys = tmp_path / "backups", tmp_path / "keys"
    made = back_up(settings, folder, keys=keys)
    assert made.path.name.endswith(".tar.sealed")
    assert CANARY.encode() not in made.path.read_bytes()
    (key,) = keys.iterdir()
    assert key.stat().st_mode & 0o077 == 0
    assert keys.stat().st_mode & 0o077 == 0
    with made.path.open("rb") as file:
        restore(settings, file, keys, replace=True)
    assert CANARY.encode() in (settings.data_dir / "antiphon.db").read_bytes()


def test_a_copy_elsewhere_ends_with_its_key(settings: Settings, tmp_path: Path) -> None:
    """As many keys are kept as backups: what went before can't be opened by anybody."""
    folder, keys, elsewhere = tmp_path / "backups", tmp_path / "keys", tmp_path / "elsewhere"
    for _ in range(2):
        back_up(settings, folder, keys=keys)
    shutil.copytree(folder, elsewhere)
    made = back_up(settings, folder, most=1, keys=keys)
    assert (len(made.removed), made.destroyed) == (2, 2)
    assert [it.name for it in folder.iterdir()] == [made.path.name]
    with made.path.open("rb") as file:
        check_backup(settings, file, keys)
    for copy in elsewhere.iterdir():
        with copy.open("rb") as file, pytest.raises(BackupFailed, match="nobody can open"):
            check_backup(settings, file, keys)


def test_keys_of_other_backups_stay(settings: Settings, tmp_path: Path) -> None:
    """Of another folder, and of what went by a stream: these are their owners' to remove."""
    keys = tmp_path / "keys"
    other = back_up(settings, tmp_path / "other", keys=keys)
    sent = io.BytesIO()
    send_backup(settings, sent, keys)
    plain = back_up(settings, tmp_path / "backups")
    back_up(settings, tmp_path / "backups", keys=keys)
    made = back_up(settings, tmp_path / "backups", most=1, keys=keys)
    assert (len(made.removed), made.destroyed) == (2, 1)
    assert not plain.path.exists()
    check_backup(settings, io.BytesIO(sent.getvalue()), keys)
    with other.path.open("rb") as file:
        check_backup(settings, file, keys)


def test_a_backup_that_gets_no_name_has_no_key(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would know what it is for."""

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Shelf, "put", fails)
    with pytest.raises(OSError, match="No space"):
        back_up(settings, tmp_path / "backups", keys=tmp_path / "keys")
    assert not list((tmp_path / "keys").iterdir())


def test_keys_are_kept_apart(settings: Settings, tmp_path: Path) -> None:
    """Beside the backups they protect nothing; beside the data they are lost with it."""
    folder = tmp_path / "backups"
    for keys in (folder / "keys", folder, tmp_path, settings.data_dir / "keys"):
        with pytest.raises(BackupFailed, match="keys have to be elsewhere than"):
            back_up(settings, folder, keys=keys)
    assert not list(folder.glob("antiphon*"))


def test_a_backup_that_fails_leaves_no_key_and_nothing_in_clear(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it is made of is in the data folder alone; one that was killed is cleared up after."""
    folder, keys = tmp_path / "backups", tmp_path / "keys"
    kept = back_up(settings, folder, keys=keys)
    places: list[Path] = []

    def fails(_: object, __: object, content: Path) -> None:
        places.append(content)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "write_archive", fails)
    with pytest.raises(OSError, match="No space"):
        back_up(settings, folder, most=1, keys=keys)
    assert places[0].is_relative_to(settings.data_dir)
    assert not places[0].exists()
    assert [it.name for it in folder.iterdir()] == [kept.path.name]
    assert len(list(keys.iterdir())) == 1
    monkeypatch.undo()
    (keys / f"{KEY.name}.key.part").write_bytes(KEY.secret)  # of one that was killed
    back_up(settings, folder, keys=keys)
    assert not list(keys.glob("*.part"))
