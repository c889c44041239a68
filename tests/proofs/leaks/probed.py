"""A server under observation, from outside of its process."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon_client import ApiKey, Client
from antiphon_server.runtime.storage.sqlite_engine import READERS
from tests.e2e.process import HOST, OwnProcess
from tests.e2e.server import ONE_FOR_MANY
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.processes import ROOT, free_port

ANSWER_S = 60.0
POOLED = {
    "memory.meaning_*": 1,  # begun by the first search, where there is a model
    "memory.index_*": 1,  # begun by the first conversation that is longer than a prompt
    "python": 2,  # numpy's own beside the main one
    "antiphon.db": 1 + READERS + 1,
    "antiphon.db-wal": 1 + READERS + 1,
    "sqlite-read_*": READERS,
    "asyncio_*": min(32, (os.cpu_count() or 1) + 4),
}
"""What is opened when it is first needed and then kept, and how many of it there may be.

The store's connections, the event loop's own among them, with the threads that read, and the event
loop's threads.
"""


@dataclass(frozen=True, slots=True)
class Weight:
    """What a process held at one time; tasks, descriptors and threads by kind."""

    resident_mb: float
    anonymous_mb: float
    blocks: int
    objects: int
    tasks: dict[str, int]
    descriptors: dict[str, int]
    threads: dict[str, int]

    def beyond(self, before: "Weight") -> dict[str, int]:
        """What there is more of than before, and more than a pool may have."""
        found = {}
        for held, had in (
            (self.tasks, before.tasks),
            (self.descriptors, before.descriptors),
            (self.threads, before.threads),
        ):
            for kind, count in held.items():
                more = count - max(had.get(kind, 0), POOLED.get(kind, 0))
                if more > 0:
                    found[kind] = more
        return found


class Probed(OwnProcess):
    """The server in ``home``: who asks it, and what it holds; under memray if a file is named."""

    def __init__(
        self,
        home: Path,
        *,
        models: Sequence[dict[str, Any]] = (),
        faster: float = 1.0,
        options: Sequence[str] = (),
        memray: Path | None = None,
    ) -> None:
        port, self._home = free_port(), home
        self.address = f"{HOST}:{port}"
        under = ("-m", "memray", "run", "--native", "-f", "-o", str(memray)) if memray else ()
        variables = {
            "ANTIPHON_MODEL": "scripted/echo",
            # 100,000 streams of one user in minutes are too many for a person.
            "ANTIPHON_RATE_LIMITS": '{"enabled": false}',
            **ONE_FOR_MANY,
            "ANTIPHON_MODELS": json.dumps(list(models)),
            "PYTHONPATH": str(ROOT),
        }
        command = (
            *(sys.executable, *under, "-m", "tests.proofs.leaks.server", "--port", str(port)),
            *("--data-dir", str(home / "data"), "--probe", str(home / "probe")),
            *("--faster", str(faster), *options),
        )
        super().__init__(command, variables, home / "server.log")

    async def serves(self) -> bool:
        """Whether it can be asked."""
        return (self._home / "probe").exists()

    async def target(self) -> Target:
        """How the operator asks, with a new token."""
        return Target(self.address, self.pid, await self.token())

    async def token(self) -> str:
        """A new access token of the operator's, by a login."""
        key = ApiKey((self._home / "data" / "operator.key").read_text().strip())
        async with Client.connect(self.address, key) as client:
            return await client.tokens.get()

    async def weigh(self) -> Weight:
        """What it holds now."""
        return Weight(**await self._ask("weigh"))

    async def types(self) -> dict[str, int]:
        """Its objects, by type."""
        found: dict[str, int] = await self._ask("types")
        return found

    async def quiet(self, before: Weight, seconds: float) -> Weight:
        """Wait until it holds nothing more than before, but not for longer."""
        end = time.monotonic() + seconds
        weight = await self.weigh()
        while time.monotonic() < end:
            if not weight.beyond(before):
                break
            await asyncio.sleep(0.1)
            weight = await self.weigh()
        return weight

    async def _ask(self, what: str) -> Any:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_unix_connection(self._home / "probe", limit=1 << 22)
            try:
                writer.write(f"{what}\n".encode())
                return json.loads(await reader.readline())
            finally:
                writer.close()
