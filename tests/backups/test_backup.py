"""A backup is made while a server runs, is whole, and brings back what was there."""

import asyncio
import io
import json
import sqlite3
import stat
import tarfile
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from antiphon_client import HistoryLost
from antiphon_server.backups import BackupFailed, back_up, check_backup, restore, send_backup
from antiphon_server.backups.archive import read_archive
from antiphon_server.backups.heads import heads_of, insist_on
from antiphon_server.backups.making import Made
from antiphon_server.backups.restoring import Restored
from antiphon_server.backups.shelf import shelf_in
from antiphon_server.runtime.storage.data_dir_lock import InUse
from antiphon_server.runtime.storage.last_backup import last_backup
from antiphon_server.settings import Settings, read_settings
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S

KEPT, LOST = "what is kept", "what came after the backup"


def settings_of(server: ServerProcess) -> Settings:
    return read_settings(data_dir=server.data_dir, model="scripted/test")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with ServerProcess(tmp_path) as server:
        yield server


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "antiphon"


async def post(server: ServerProcess, text: str, conversation: str = "") -> str:
    """Say something; returns the conversation."""
    async with server.client() as client:
        if not conversation:
            conversation = (await client.create_conversation()).conversation_id
        await client.post_message(conversation, text)
    return conversation


async def messages(server: ServerProcess, conversation: str) -> list[str]:
    async with server.client() as client:
        return [message.parts[0].text async for message in client.list_messages(conversation)]


async def end_of(server: ServerProcess, conversation: str) -> str:
    """The cursor behind the newest event."""
    async with server.client() as client:
        return (await client.get_head(f"conversations/{conversation}")).cursor


async def backed_up(server: ServerProcess, shelf: Path, most: int = 0) -> Made:
    return await asyncio.to_thread(back_up, settings_of(server), shelf, most)


async def put_back(settings: Settings, path: Path, *, replace: bool = False) -> Restored:
    def work() -> Restored:
        with path.open("rb") as file:
            return restore(settings, file, replace=replace)

    return await asyncio.to_thread(work)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_what_was_committed_before_a_backup_is_restored(
    server: ServerProcess, shelf: Path
) -> None:
    """It is made while others write, and put back as it was: what came after it is gone."""
    conversation = await post(server, KEPT)
    done = asyncio.Event()

    async def write() -> int:
        written = 0
        while not done.is_set():
            await post(server, LOST, conversation)
            written += 1
        return written

    async with asyncio.TaskGroup() as group:
        writing = group.create_task(write())
        made = await backed_up(server, shelf)
        done.set()
    assert writing.result() > 0
    assert mode_of(made.path) == 0o600
    assert mode_of(shelf) == 0o700
    assert (
        await asyncio.to_thread(last_backup, server.data_dir) == made.manifest.made_at.timestamp()
    )
    await post(server, LOST, conversation)
    before = await messages(server, conversation)
    await server.terminate()
    done_so = await put_back(settings_of(server), made.path, replace=True)
    assert done_so.aside is not None
    assert not done_so.other_secret
    assert (done_so.aside / "antiphon.db").exists()
    await server.start()
    after = await messages(server, conversation)
    assert KEPT in after
    assert len(after) < len(before)


async def test_a_cursor_of_what_is_lost_is_refused(server: ServerProcess, shelf: Path) -> None:
    """New events take the lost ones' offsets, so who has seen those is told to begin again.

    Messages of before stay, also those whose events were trimmed.
    """
    conversation = await post(server, KEPT)
    kept_at = await end_of(server, conversation)
    assert await messages(server, conversation) == [KEPT]
    await server.terminate()
    _trim(server.data_dir / "antiphon.db")
    made = await backed_up(server, shelf)
    await put_back(settings_of(server), made.path, replace=True)
    await server.start()
    assert await messages(server, conversation) == [KEPT]
    async with server.client() as client, asyncio.timeout(PATIENCE_S):
        with pytest.raises(HistoryLost) as lost:
            await anext(aiter(client.follow(f"conversations/{conversation}", cursor=kept_at)))
    assert lost.value.reason == "EPOCH_CHANGED"


def _trim(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM events_log")
        connection.execute("UPDATE events_scopes SET earliest_offset = last_offset + 1")
        connection.commit()


def _find_each_cut(whole: bytes) -> bytes:
    """Returns it with another byte, which is found, too."""
    end = len(whole) - 20480  # tar ends with up to two empty records
    for at in (0, 100, 512, 700, 2000, len(whole) // 2, end):
        with pytest.raises(BackupFailed):
            read_archive(io.BytesIO(whole[:at]))
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    with pytest.raises(BackupFailed, match="this is no whole backup"):
        read_archive(io.BytesIO(changed))
    return bytes(changed)


async def test_each_cut_is_found(server: ServerProcess, shelf: Path) -> None:
    """Wherever a stream ended, and whichever byte is another: nothing is restored from it."""
    await post(server, KEPT)
    sent = io.BytesIO()
    settings = settings_of(server)
    manifest = await asyncio.to_thread(send_backup, settings, sent)
    whole = sent.getvalue()
    assert not (server.data_dir / "outgoing-backup").exists()
    assert await asyncio.to_thread(last_backup, server.data_dir) == 0  # nobody has read it back yet
    assert await asyncio.to_thread(check_backup, settings, io.BytesIO(whole)) == manifest
    assert await asyncio.to_thread(last_backup, server.data_dir) == manifest.made_at.timestamp()
    changed = await asyncio.to_thread(_find_each_cut, whole)
    new = read_settings(data_dir=server.data_dir.parent / "new", model="scripted/test")
    with pytest.raises(BackupFailed):
        await asyncio.to_thread(restore, new, io.BytesIO(changed))
    assert names_in(new.data_dir) == {"lock"}


@pytest.mark.parametrize(
    "change",
    [
        {"revisions": {"auth": "/etc/"}},
        {"revisions": {"auth": "**x"}},
        {"revisions": {"auth": ""}},
        {"made_at": "0001-01-01T00:00:00"},
    ],
)
async def test_a_manifest_that_makes_no_sense_is_told(
    server: ServerProcess, shelf: Path, change: dict[str, Any]
) -> None:
    """Whatever is in it: it is no backup."""
    made = await backed_up(server, shelf)
    with pytest.raises(BackupFailed):
        await asyncio.to_thread(read_archive, io.BytesIO(_changed(made.path, **change)))


def test_headers_that_make_no_sense_are_told() -> None:
    """Those that tar has for what it can't say otherwise."""
    member = tarfile.TarInfo("manifest.json")
    member.pax_headers = {"GNU.sparse.map": "a,b"}
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member)
    written.seek(0)
    with pytest.raises(BackupFailed, match="no whole backup"):
        read_archive(written)


async def test_tables_of_another_revision_than_told_are_not_restored(
    server: ServerProcess, shelf: Path, tmp_path: Path
) -> None:
    """A start would take them for what they are not, or refuse them when all else is gone."""
    made = await backed_up(server, shelf)
    path = tmp_path / "other.tar"
    revisions = made.manifest.revisions | {"auth": "0001"}
    changed = await asyncio.to_thread(_changed, made.path, revisions=revisions)
    await asyncio.to_thread(path.write_bytes, changed)
    new = read_settings(data_dir=tmp_path / "new", model="scripted/test")
    with pytest.raises(BackupFailed, match="its tables are not"):
        await put_back(new, path)
    assert names_in(new.data_dir) == {"lock"}


def _changed(path: Path, **change: Any) -> bytes:
    """The backup with another manifest."""
    written = io.BytesIO()
    with tarfile.open(path) as whole, tarfile.open(fileobj=written, mode="w") as tar:
        for member in whole:
            file = whole.extractfile(member)
            assert file is not None
            content = file.read()
            if member.name == "manifest.json":
                content = json.dumps(json.loads(content) | change).encode()
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


async def test_nothing_is_put_beside_a_postgres(server: ServerProcess, shelf: Path) -> None:
    """A start would take it for all that there is. Both may be set aside."""
    await post(server, KEPT)
    settings = settings_of(server)
    made = await backed_up(server, shelf)
    await server.terminate()
    database = settings.data_dir / "antiphon.db"
    moved = database.rename(database.with_name("antiphon.db.migrated"))
    with pytest.raises(BackupFailed, match="migrated is there: with --replace"):
        await put_back(settings, made.path)
    moved.unlink()
    (settings.data_dir / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(BackupFailed, match="postgres is there: with --replace"):
        await put_back(settings, made.path)
    assert not database.exists()
    moved.touch()
    done = await put_back(settings, made.path, replace=True)
    assert done.aside is not None
    assert (done.aside / moved.name).exists()
    assert (done.aside / "postgres" / "data").exists()
    await server.start()


async def test_nothing_is_put_over_what_is_there(server: ServerProcess, shelf: Path) -> None:
    """Neither under a server that runs, nor in place of data, unless that is asked for."""
    await post(server, KEPT)
    settings = settings_of(server)
    made = await backed_up(server, shelf)
    with pytest.raises(InUse):
        await put_back(settings, made.path, replace=True)
    await server.terminate()
    with pytest.raises(BackupFailed, match="with --replace it is set"):
        await put_back(settings, made.path)


def _leave_behind(shelf: Path) -> None:
    shelf.mkdir(parents=True)
    (shelf / "antiphon.tar.part").write_bytes(b"of one that was killed")
    (shelf / "notes.tar").touch()


async def test_the_newest_are_kept(server: ServerProcess, shelf: Path) -> None:
    """A backup takes no other's place; older ones go when it is whole, and what is none stays."""
    _leave_behind(shelf)
    made = [await backed_up(server, shelf, 2) for _ in range(3)]
    assert [len(each.removed) for each in made] == [0, 0, 1]
    assert made[2].removed == [made[0].path]
    assert names_in(shelf) == {made[1].path.name, made[2].path.name, "notes.tar"}


async def test_a_backup_that_fails_leaves_none(server: ServerProcess, shelf: Path) -> None:
    """Of a database that is damaged there is no backup, and older ones stay."""
    settings = settings_of(server)
    for _ in range(20):
        await post(server, KEPT * 100)
    older = await backed_up(server, shelf, 1)
    await server.terminate()
    database = server.data_dir / "antiphon.db"
    content = bytearray(database.read_bytes())
    for page in range(4096 * 4, len(content), 4096):
        content[page : page + 16] = b"\xff" * 16
    database.write_bytes(content)
    with pytest.raises(BackupFailed):
        await backed_up(server, shelf, 1)
    assert names_in(shelf) == {older.path.name}
    assert (
        await asyncio.to_thread(last_backup, server.data_dir) == older.manifest.made_at.timestamp()
    )
    database.unlink()
    await put_back(settings, older.path)
    await server.start()


def test_a_copy_that_lacks_something_is_found() -> None:
    """Logs only grow, so it has at least what there was before it was begun."""
    copied = heads_of([("conversations/a", 3), ("conversations/b", 4)])
    assert copied == heads_of([("conversations/b", 4), ("conversations/a", 3)])
    insist_on((2, 7), copied)
    for more in ((3, 7), (2, 8)):
        with pytest.raises(BackupFailed, match="it lacks something"):
            insist_on(more, copied)


def test_a_target_that_takes_nothing_is_no_other_backup(shelf: Path) -> None:
    """A pipe that does not wait refuses in the same way as a lock that somebody has."""
    with pytest.raises(BlockingIOError), shelf_in(shelf):
        raise BlockingIOError
    with shelf_in(shelf), pytest.raises(BackupFailed, match="another backup"), shelf_in(shelf):
        pass
