"""Two servers behind one address, as users have them: an edge, which leads to either."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from antiphon_client import Client
from tests.e2e.process import all_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.fakes.postgres import Postgres
from tests.proofs.robustness.mesh.edge import EdgeProcess
from tests.workers.processes import COUNTER, WorkerProcess, invited

GRACE_S = 2.0
"""So long a worker that stops lets its turns end: less than they take."""


class RollingFleet:
    """Servers, an edge, and workers that all dial the edge; ``all`` are those of the past, too."""

    def __init__(
        self, servers: list[ServerProcess], edge: EdgeProcess, home: Path, stack: AsyncExitStack
    ) -> None:
        self.servers, self.edge = servers, edge
        self._home, self._stack = home, stack
        self.workers: list[WorkerProcess] = []
        self.all: list[WorkerProcess] = []
        self._key = ""

    @property
    def address(self) -> str:
        """The one that everybody knows."""
        return f"127.0.0.1:{self.edge.port}"

    def client(self) -> Client:
        """The operator, at the edge."""
        return Client.connect(self.address, self.servers[0].key, deadline=PATIENCE_S)

    async def begin(self, workers: int) -> None:
        """Let so many workers dial in."""
        self._key = await invited(self.servers[0], "counter")
        for _ in range(workers):
            await self.new_worker()
        await self.served(workers)

    async def new_worker(self, version: str = "1") -> WorkerProcess:
        """One more."""
        command = (*COUNTER, version, str(GRACE_S))
        log = self._home / f"worker-{len(self.all)}.log"
        one = WorkerProcess(self.address, self._key, log, command)
        one.shown = False
        await self._stack.enter_async_context(one)
        self.workers.append(one)
        self.all.append(one)
        return one

    async def served(self, count: int) -> None:
        """Wait until so many workers are there, on whichever server."""

        async def are_there() -> bool:
            async with self.client() as client:
                there = {it.worker_id async for it in client.list_workers("global")}
            return len(there) >= count

        await until_it(are_there)


@asynccontextmanager
async def rolling_fleet(home: Path, workers: int) -> AsyncIterator[RollingFleet]:
    """All of it, on a Postgres of its own."""
    postgres = Postgres()
    await asyncio.to_thread(postgres.start)
    try:
        secret = base64.b64encode(os.urandom(32)).decode()
        edge = EdgeProcess(home / "edge", secret)
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": secret,
            "ANTIPHON_BEHIND_PROXY": "true",
            "ANTIPHON_REGISTRY": edge.registry,
            "ANTIPHON_RATE_LIMITS": '{"enabled": false}',
            **ONE_FOR_MANY,
        }
        servers = [ServerProcess(home / it, variables=variables) for it in "ab"]
        for process in (edge, *servers):
            process.shown = False
        async with all_of([edge, *servers]), AsyncExitStack() as stack:
            await edge.until_open()
            here = RollingFleet(servers, edge, home, stack)
            await here.begin(workers)
            yield here
    finally:
        await asyncio.to_thread(postgres.remove)
