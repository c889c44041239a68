"""Data taken from SQLite to Postgres is the same to clients, however often that was killed."""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from antiphon_client import Client
from tests.backups.outside import MODEL, VARIABLES, WAITING, empty_tables, kept_outside
from tests.e2e.process import COMMAND
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres
from tests.proofs.bench.processes import ROOT, DidNotStart, environment
from tests.proofs.migration.told import Log, Told, followed, log_of, told_by
from tests.proofs.migration.traffic import fill

pytestmark = pytest.mark.proof
UNLIMITED = {"ANTIPHON_RATE_LIMITS": '{"enabled": false}'}
LONG = os.environ.get("MIGRATION_PROOF") == "long"
CONVERSATIONS, MESSAGES, TURNS = (100, 800, 100) if LONG else (4, 30, 5)
"""Each conversation has so many posted messages and turns; a turn has two messages."""
LIMIT_S = 3600


async def run(*command: str, **variables: str) -> tuple[int, str]:
    """A command's exit status, and what it said on standard error."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env=environment(variables),
        cwd=ROOT,
    )
    async with asyncio.timeout(LIMIT_S):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


class Moved:
    """An installation on SQLite that is to be one on Postgres; ``url`` is an empty database."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url = home, url
        self.file = home / "data" / "antiphon.db"
        self.before = Told()

    def server(self, **variables: str) -> ServerProcess:
        return ServerProcess(self.home, variables={**UNLIMITED, **variables})

    async def use(self, conversations: int = CONVERSATIONS) -> None:
        """A server runs on SQLite for a time, and tells what it has then."""
        async with self.server() as server, server.client() as client:
            await fill(client, conversations, MESSAGES, TURNS)
            self.before = await told_by(client)

    async def migrate(self) -> tuple[int, str]:
        folder = str(self.home / "data")
        command = (*COMMAND, "migrate", "--data-dir", folder)
        return await run(*command, ANTIPHON_DATABASE_URL=self.url)

    async def killed(self, doing: str, rows: int) -> None:
        """It is begun, and killed when it says that."""
        program = (sys.executable, "-m", "tests.proofs.migration.dying")
        status, said = await run(*program, str(self.home / "data"), self.url, doing, str(rows))
        assert status == -signal.SIGKILL, said

    async def is_refused(self) -> None:
        """No server takes the database for one that is whole."""
        server = self.server(ANTIPHON_DATABASE_URL=self.url)
        with pytest.raises(DidNotStart):
            await server.__aenter__()
        assert "antiphon migrate` has not brought all data" in server.log.read_text()

    async def rows(self) -> dict[str, int]:
        """How many rows of each table are there."""
        connection = await asyncpg.connect(self.url)
        try:
            found = await connection.fetch("SELECT name, rows FROM runtime_transfer")
            return {row["name"]: row["rows"] for row in found}
        finally:
            await connection.close()


@pytest.fixture
async def moved(postgres: Postgres, tmp_path: Path) -> Moved:
    """Nothing has run there yet."""
    return Moved(tmp_path, await postgres.empty_database())


async def same(moved: Moved, client: Client) -> None:
    """The server on Postgres tells what the one on SQLite told."""
    after, before = await told_by(client), moved.before
    assert after.counts == before.counts
    assert after == before
    for scope, log in before.logs.items():
        await _resumes(client, scope, log)


async def _resumes(client: Client, scope: str, log: Log) -> None:
    """Whoever has a cursor of before gets what follows it, by a page and on a stream."""
    middle = log.cursors[0] if len(log.cursors) > 1 else (await _after_one(client, scope))
    rest = (await log_of(client, scope, middle)).events
    assert rest == log.events[len(log.events) - len(rest) :]
    assert await followed(client, scope, middle, len(rest)) == rest


async def _after_one(client: Client, scope: str) -> str:
    return (await client.read_events(scope, page_size=1)).cursor


async def test_clients_find_everything_where_it_was(moved: Moved) -> None:
    """Events, offsets, cursors, messages, turns, costs and people, though it was killed thrice."""
    await moved.use()
    there = 0
    for doing, rows in (("copying", 0), ("copying", 50), ("copying", 300), ("comparing", 100)):
        await moved.killed(doing, rows)
        await moved.is_refused()
        assert moved.file.exists()
        before, there = there, sum((await moved.rows()).values())
        assert there >= before
    status, said = await moved.migrate()
    assert status == 0, said
    assert f"copying: {there:,} of {there:,} rows" in said  # nothing was left to copy
    async with moved.server(ANTIPHON_DATABASE_URL=moved.url) as server, server.client() as client:
        await same(moved, client)
        assert not (await client.verify_security_events()).fault
        conversation = (await client.create_conversation(title="Of Postgres")).conversation_id
        await client.post_message(conversation, "Its scope has a number that nobody had")
        assert len((await log_of(client, f"conversations/{conversation}")).events) >= 1


async def test_what_a_server_wrote_meanwhile_is_there(moved: Moved) -> None:
    """If the file was used after an interrupted beginning, that is begun anew."""
    await moved.use(2)
    await moved.killed("copying", 100)
    await moved.use(1)
    status, said = await moved.migrate()
    assert status == 0, said
    async with moved.server(ANTIPHON_DATABASE_URL=moved.url) as server, server.client() as client:
        await same(moved, client)


async def test_what_is_outside_is_reached_as_before(moved: Moved) -> None:
    """Secrets and grants open, with connections, hosts, rules, pins, documents and results."""
    server = ServerProcess(moved.home, models=[MODEL], variables=VARIABLES)
    async with kept_outside() as kept:
        async with server, server.client() as client:
            await kept.fill(client)
        assert empty_tables(moved.file) == WAITING
        status, said = await moved.migrate()
        assert status == 0, said
        server.variables["ANTIPHON_DATABASE_URL"] = moved.url
        async with server, server.client() as client:
            await kept.works(client)


async def test_it_is_one_database_or_the_other(moved: Moved) -> None:
    """Killed between the last two steps no server has the data, and it is ended by another run."""
    await moved.use(1)
    await moved.killed("comparing", 100)
    aside = moved.file.rename(moved.file.with_name("antiphon.db.migrated"))
    await moved.is_refused()
    alone = moved.server()
    with pytest.raises(DidNotStart):
        await alone.__aenter__()
    assert "was migrated to a Postgres: set ANTIPHON_DATABASE_URL to it" in alone.log.read_text()
    status, said = await moved.migrate()
    assert status == 0, said
    assert aside.exists()
    status, said = await moved.migrate()
    assert (status > 0, "is migrated already: start with `antiphon up`" in said) == (True, True)
    async with moved.server(ANTIPHON_DATABASE_URL=moved.url) as server, server.client() as client:
        await same(moved, client)


async def test_what_is_not_the_same_is_found(moved: Moved) -> None:
    """A row that came out otherwise ends it, and the next run begins anew."""
    await moved.use(1)
    await moved.killed("comparing", 0)
    connection = await asyncpg.connect(moved.url)
    await connection.execute("UPDATE events_log SET time_us = time_us + 1 WHERE last_offset = 3")
    await connection.close()
    status, said = await moved.migrate()
    assert status > 0
    assert "events_log is not the same in Postgres" in said
    assert moved.file.exists()
    await moved.is_refused()
    status, said = await moved.migrate()
    assert status == 0, said


async def test_a_value_that_postgres_does_not_take_is_named(moved: Moved) -> None:
    """With its table; the file stays what servers use."""
    await moved.use(1)
    await _title(moved, "x" * 257)
    status, said = await moved.migrate()
    assert status > 0
    assert "Postgres can't hold a row of context_conversations" in said
    async with moved.server() as server, server.client() as client:
        assert len((await told_by(client)).messages) == 1


async def test_a_nul_becomes_the_sign_for_what_is_unknown(moved: Moved) -> None:
    """SQLite takes one in a text, Postgres has no place for it, and nobody ever saw it."""
    await moved.use(1)
    await _title(moved, "a\0b")
    status, said = await moved.migrate()
    assert status == 0, said
    async with moved.server(ANTIPHON_DATABASE_URL=moved.url) as server, server.client() as client:
        assert [each.title async for each in client.list_conversations()] == ["a\ufffdb"]


async def _title(moved: Moved, text: str) -> None:
    """Give all conversations a title that no client gave them."""

    def write() -> None:
        with closing(sqlite3.connect(moved.file)) as database, database:
            database.execute("UPDATE context_conversations SET title = ?", (text,))

    await asyncio.to_thread(write)


async def test_it_takes_an_empty_database_and_data_that_nobody_uses(
    moved: Moved, postgres: Postgres
) -> None:
    """Data of others is not mixed with it, and no server writes to what is being copied."""
    async with moved.server():
        status, said = await moved.migrate()
        assert (status > 0, "another server uses it" in said) == (True, True)
    moved.url = await postgres.database()
    status, said = await moved.migrate()
    assert (status > 0, "has data of Antiphon already" in said) == (True, True)
    moved.file.unlink()
    status, said = await moved.migrate()
    assert (status > 0, "there is nothing to migrate" in said) == (True, True)
