"""The Postgres that `antiphon up --mesh` has in its data folder is backed up, and put back."""

import asyncio
from pathlib import Path

import pytest

from antiphon_server.backups import BackupFailed, back_up, restore
from antiphon_server.settings import Settings, read_settings
from antiphon_server.stores.local_postgres import running_postgres, start_postgres
from tests.backups.test_backup import KEPT, LOST, messages, post
from tests.e2e.server import ServerProcess


def put_back(settings: Settings, path: Path, *, replace: bool) -> Path | None:
    with path.open("rb") as file:
        return restore(settings, file, replace=replace).aside


async def test_it_is_backed_up_and_put_back(tmp_path: Path) -> None:
    """Nobody has to say where it is, whether it runs or not; it is put back while it does not."""
    data, backups = tmp_path / "data", tmp_path / "backups"
    settings = read_settings(data_dir=data, model="scripted/test")
    server = ServerProcess(tmp_path / "server")

    store = await start_postgres(data / "postgres")
    server.variables["ANTIPHON_DATABASE_URL"] = store.url
    try:
        async with server:
            conversation = await post(server, KEPT)
            made = await asyncio.to_thread(back_up, settings, backups)
            await post(server, LOST, conversation)
        with pytest.raises(BackupFailed, match="runs: stop `antiphon up --mesh` first"):
            await asyncio.to_thread(put_back, settings, made.path, replace=True)
    finally:
        await store.child.stop()

    later = await asyncio.to_thread(back_up, settings, backups)
    assert later.manifest.heads.offsets > made.manifest.heads.offsets
    assert running_postgres(data / "postgres") is None
    with pytest.raises(BackupFailed, match="with --replace it is set aside"):
        await asyncio.to_thread(put_back, settings, made.path, replace=False)
    aside = await asyncio.to_thread(put_back, settings, made.path, replace=True)
    assert aside is not None
    assert (aside / "postgres" / "data").is_dir()
    assert not (data / "incoming-postgres").exists()

    again = await start_postgres(data / "postgres")
    server.variables["ANTIPHON_DATABASE_URL"] = again.url
    try:
        async with server:
            assert await messages(server, conversation) == [KEPT]
    finally:
        await again.child.stop()
