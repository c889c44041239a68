"""Secrets, connections and all else of integration go along, and open beside the same secret."""

import asyncio
import shutil
from pathlib import Path

from antiphon_server.backups import back_up
from tests.backups.outside import MODEL, VARIABLES, WAITING, empty_tables, kept_outside
from tests.backups.test_backup import backed_up, put_back, settings_of
from tests.backups.test_postgres_backup import settings_of as settings_on
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres


async def test_a_backup_brings_them_back(tmp_path: Path) -> None:
    """Into another folder, with the secret that stood beside it; without it they say so."""
    first = ServerProcess(tmp_path / "first", models=[MODEL], variables=VARIABLES)
    again = ServerProcess(tmp_path / "again", models=[MODEL], variables=VARIABLES)
    other = ServerProcess(tmp_path / "other", models=[MODEL], variables=VARIABLES)
    async with kept_outside() as kept:
        async with first, first.client() as client:
            await kept.fill(client)
            made = await backed_up(first, tmp_path / "backups")
        assert empty_tables(first.data_dir / "antiphon.db") == WAITING
        await put_back(settings_of(again), made.path)
        shutil.copy(first.data_dir / "auth.key", again.data_dir / "auth.key")
        async with again, again.client() as client:
            await kept.works(client)
        restored = await put_back(settings_of(other), made.path)
        assert restored.other_secret  # which the command says, too
        async with other, other.client() as client:
            await kept.opens_nothing(client)


async def test_a_backup_of_postgres_brings_them_back(tmp_path: Path, postgres: Postgres) -> None:
    """Into an empty database, for a server that has the same secret."""
    url, new = [await postgres.empty_database() for _ in range(2)]
    variables = {**VARIABLES, "ANTIPHON_DATABASE_URL": url}
    server = ServerProcess(tmp_path, models=[MODEL], variables=variables)
    async with kept_outside() as kept:
        async with server, server.client() as client:
            await kept.fill(client)
            settings = settings_on(server.data_dir, url)
            made = await asyncio.to_thread(back_up, settings, tmp_path / "backups")
        restored = await put_back(settings_on(server.data_dir, new), made.path)
        assert not restored.other_secret
        server.variables["ANTIPHON_DATABASE_URL"] = new
        async with server, server.client() as client:
            await kept.works(client)
