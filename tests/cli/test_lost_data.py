"""Data that is gone, or somebody else's, is never taken for none."""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from antiphon_server.app import running
from antiphon_server.cli.start_failures import code_of, why_not
from antiphon_server.hardening import Insecure
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.tls import UnusableCertificate
from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable, InUse, exclusive
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.runtime.storage.migrations import FromTheFuture
from antiphon_server.runtime.storage.ownership import not_ours, user_of
from antiphon_server.settings import Settings, read_settings
from tests.cli.conftest import Home

NOBODY = 65534


def settings_of(folder: Path) -> Settings:
    return read_settings(data_dir=folder, port=0, admin_port=0, model="scripted/test")


async def serve_a_moment(folder: Path) -> None:
    async with running(settings_of(folder)):
        pass


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has run."""
    folder = tmp_path_factory.mktemp("used") / "data"
    asyncio.run(serve_a_moment(folder))
    return folder


@pytest.fixture
def folder(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "data"))


def _missing(database: Path) -> None:
    database.unlink()


def _empty(database: Path) -> None:
    database.write_bytes(b"")


def _empty_beside_a_wal(database: Path) -> None:
    database.write_bytes(b"")
    (database.parent / "operator.key").unlink()
    database.with_name("antiphon.db-wal").write_bytes(b"what was committed last")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("harm", [_missing, _empty, _empty_beside_a_wal])
async def test_a_lost_database_is_not_begun_anew(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    """What is left beside it says that there was one: the start is refused, and changes nothing."""
    database = folder / "antiphon.db"
    harm(database)
    before = _names(folder)
    with pytest.raises(DataDirUnusable) as failed:
        await serve_a_moment(folder)
    sentence = str(why_not(failed.value, settings_of(folder)))
    assert "nothing new is begun in its place" in sentence
    assert "`antiphon restore`" in sentence
    assert code_of(failed.value) == 2
    assert _names(folder) == before


async def test_a_database_beside_a_migrated_one_is_not_taken(folder: Path) -> None:
    """It could be older than what is in Postgres; whoever wants it says so."""
    (folder / "antiphon.db.migrated").write_bytes(b"how it was")
    with pytest.raises(DataDirUnusable, match="migrated to a Postgres"):
        await serve_a_moment(folder)


async def test_a_folder_without_any_data_is_new(tmp_path: Path) -> None:
    """A secret, or an empty file where the database is to be, says nothing of data."""
    (tmp_path / "antiphon.db").touch()
    await serve_a_moment(tmp_path)


@contextlib.contextmanager
def as_somebody() -> Iterator[None]:
    """Root is refused nothing: whoever runs the tests, within it is none."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that everybody may look into; those of pytest are shut to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_of_somebody_else_is_said_to_be_that(open_folder: Path) -> None:
    """Which file, whose it is, who this is, and the command that mends it."""
    path = open_folder / "antiphon.db"
    path.write_bytes(b"restored")
    path.chmod(0o000)
    with as_somebody():
        said = not_ours(path)
    if os.geteuid() == 0:
        us = user_of(NOBODY)
        assert said.startswith(f"{path} belongs to root, and this runs as {us}: `chown -R {us}:")
    else:
        assert said == f"{path} is shut to its owner: `chmod 600 {path}`"
    path.chmod(0o600)
    assert not_ours(path) == ""


def test_a_folder_of_somebody_else_is_said_to_be_that(open_folder: Path) -> None:
    """The lock in it can't be made, for that reason."""
    folder = open_folder / "data"
    folder.mkdir(mode=0o000)
    try:
        with (
            as_somebody(),
            pytest.raises(DataDirUnusable, match=r"`ch(own|mod) "),
            exclusive(folder),
        ):
            pass
    finally:
        folder.chmod(0o700)


LASTS = (
    Insecure([]),
    FromTheFuture(),
    UnusableCertificate(),
    DataDirUnusable(),
    PermissionError(),
    DomainError(Reason.ALREADY_EXISTS, resource="users/test"),
)
MAY_PASS = (
    CannotListen("127.0.0.1:1"),
    InUse(),
    DatabaseUnusable(),
    OSError(),
    DomainError(Reason.STORE_UNAVAILABLE),
)


@pytest.mark.parametrize("error", [*LASTS, *MAY_PASS], ids=lambda error: type(error).__name__)
def test_what_another_start_can_not_mend_has_an_exit_code_of_its_own(error: Exception) -> None:
    """A supervisor that heeds it does not start for ever what can't start."""
    assert code_of(error) == (2 if error in LASTS else 1)


@pytest.mark.parametrize("harm", ["setting", "data"])
def test_a_log_of_json_has_no_plain_line(home: Home, harm: str) -> None:
    """Why it does not start is a line of it, too, whether settings could be read or not."""
    home.data_dir.mkdir(parents=True)
    (home.data_dir / "operator.key").write_text("key")
    told = ("--model", "none") if harm == "setting" else ()
    shown = home.run("up", "--port", "0", "--log-format", "json", *told)
    assert shown.returncode == 2
    assert shown.stdout == ""
    last = [json.loads(line) for line in shown.stderr.splitlines()][-1]
    assert last["level"] == "critical"
    assert ("nothing new is begun" if harm == "data" else "model") in last["message"]
