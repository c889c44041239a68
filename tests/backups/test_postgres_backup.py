"""What several servers share is backed up by Postgres' own programs, and restored whole."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from antiphon_client import HistoryLost
from antiphon_server.backups import BackupFailed, back_up, postgres_dump, restore, send_backup
from antiphon_server.settings import Settings, read_settings
from tests.backups.test_backup import KEPT, LOST, end_of, messages, post
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.fakes.postgres import Postgres


def settings_of(folder: Path, url: str) -> Settings:
    return read_settings(data_dir=folder, model="scripted/test", database_url=url)


async def test_a_postgres_is_backed_up_and_restored(tmp_path: Path, postgres: Postgres) -> None:
    """While a server writes to it; what comes back is in a database that was empty."""
    url = await postgres.empty_database()
    server = ServerProcess(tmp_path, variables={"ANTIPHON_DATABASE_URL": url})
    async with server:
        conversation = await post(server, KEPT)
        before = settings_of(server.data_dir, url)
        made = await asyncio.to_thread(back_up, before, tmp_path / "backups")
        assert made.manifest.content == "antiphon.pgdump"
        await post(server, LOST, conversation)
        cursor = await end_of(server, conversation)

        with pytest.raises(BackupFailed, match="is not empty: make a new one"):
            await asyncio.to_thread(_put_back, settings_of(tmp_path / "other", url), made.path)
    new = await postgres.empty_database()
    await asyncio.to_thread(_put_back, settings_of(server.data_dir, new), made.path)
    server.variables["ANTIPHON_DATABASE_URL"] = new
    async with server:
        assert await messages(server, conversation) == [KEPT]
        async with server.client() as client, asyncio.timeout(PATIENCE_S):
            with pytest.raises(HistoryLost) as lost:
                await anext(aiter(client.follow(f"conversations/{conversation}", cursor=cursor)))
        assert lost.value.reason == "EPOCH_CHANGED"


async def test_a_restore_that_fails_late_leaves_nothing(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data without a new history would let old cursors go on: neither is there, or both."""
    url = await postgres.empty_database()
    async with ServerProcess(tmp_path, variables={"ANTIPHON_DATABASE_URL": url}) as server:
        await post(server, KEPT)
        settings = settings_of(server.data_dir, url)
        made = await asyncio.to_thread(back_up, settings, tmp_path / "backups")
    new = settings_of(server.data_dir, await postgres.empty_database())
    with monkeypatch.context() as patched:
        wrong = [("UPDATE events_scopes SET epoch = :epoch, nothing = 1", {"epoch": "it's"})]
        patched.setattr(postgres_dump, "new_history", lambda: iter(wrong))
        with pytest.raises(BackupFailed, match='"nothing" of relation "events_scopes"'):
            await asyncio.to_thread(_put_back, new, made.path)
    await asyncio.to_thread(_put_back, new, made.path)  # refused if the first had left a table


async def test_one_store_is_not_restored_into_the_other(tmp_path: Path, postgres: Postgres) -> None:
    """It says which variable to set or unset."""
    async with ServerProcess(tmp_path) as server:
        sent = io.BytesIO()
        own = read_settings(data_dir=server.data_dir, model="scripted/test")
        await asyncio.to_thread(send_backup, own, sent)
    url = await postgres.empty_database()
    sent.seek(0)
    with pytest.raises(BackupFailed, match="unset ANTIPHON_DATABASE_URL"):
        await asyncio.to_thread(restore, settings_of(tmp_path / "other", url), sent)


async def test_a_database_without_data_is_a_sentence(tmp_path: Path, postgres: Postgres) -> None:
    """Such as the one that a new URL names by mistake: nothing is made of it."""
    url, folder = await postgres.empty_database(), tmp_path / "backups"
    with pytest.raises(BackupFailed, match="has no data of Antiphon"):
        await asyncio.to_thread(back_up, settings_of(tmp_path, url), folder)
    assert list(folder.iterdir()) == []


async def test_a_database_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    """Without the password."""
    url = "postgresql://antiphon:geheim@127.0.0.1:1/antiphon"
    with pytest.raises(BackupFailed, match="no Postgres answers") as failed:
        await asyncio.to_thread(back_up, settings_of(tmp_path, url), tmp_path / "backups")
    assert "geheim" not in str(failed.value)


def _put_back(settings: Settings, path: Path) -> Any:
    with path.open("rb") as file:
        return restore(settings, file)
