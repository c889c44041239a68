"""Runs on SQLite, and on servers that share a Postgres: each is its budgets, a race, a verdict."""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from antiphon_server.integration.ledger.adapters.tables import metadata
from antiphon_server.runtime.storage.postgres import PostgresDatabase
from tests.fakes.databases import sqlite_in
from tests.fakes.postgres import Postgres
from tests.proofs.overspend.edges import Edges, Verdict, served_by
from tests.proofs.overspend.racing import Racing

SERVERS = 2
ANSWER_S = 120.0
END_S = 20.0


async def on_sqlite(runs: int, calls: int, ledger: str = "sound") -> AsyncIterator[Verdict]:
    """One server, on a file on a disk."""
    with tempfile.TemporaryDirectory(prefix="overspend-") as folder:
        async with sqlite_in(Path(folder) / "store.db", metadata) as database:
            racing, edges = Racing(database, "local", ledger), Edges(database)
            for run in map(str, range(runs)):
                await edges.begin(run, calls)
                await racing.budgets.refresh()
                yield await edges.judge(run, calls, await racing.race(run, calls))
            await racing.close()


async def on_postgres(
    postgres: Postgres, runs: int, calls: int, ledger: str = "sound"
) -> AsyncIterator[Verdict]:
    """Two processes, each with half of the calls."""
    url = await postgres.database()
    async with AsyncExitStack() as stack:
        database = PostgresDatabase(url, pool=2)
        stack.push_async_callback(database.close)
        started = [_server(url, f"server-{it}", ledger) for it in range(SERVERS)]
        servers = [await stack.enter_async_context(it) for it in started]
        edges = Edges(database)
        for run in map(str, range(runs)):
            await edges.begin(run, calls)
            await _told(servers, f"ready {run}")
            answers = await _told(servers, f"go {run} {calls // SERVERS}")
            served = served_by([json.loads(it) for it in answers])
            yield await edges.judge(run, calls // SERVERS * SERVERS, served)


@asynccontextmanager
async def _server(url: str, owner: str, ledger: str) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "tests.proofs.overspend.server", url, owner]
    command += ["--ledger", ledger]
    server = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        yield server
        assert server.stdin is not None
        server.stdin.close()
        async with asyncio.timeout(END_S):
            assert await server.wait() == 0
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()


async def _told(servers: list[Process], line: str) -> list[str]:
    """Tell all the same at once; what each answers."""
    for server in servers:
        assert server.stdin is not None
        server.stdin.write(f"{line}\n".encode())
    async with asyncio.timeout(ANSWER_S):
        return [await _line(it) for it in servers]


async def _line(server: Process) -> str:
    assert server.stdout is not None
    line = await server.stdout.readline()
    assert line, "a server ended"
    return line.decode()
