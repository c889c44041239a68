"""What rows are given: how much to do, and the parts to do it with."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.bench.antiphon import Antiphon, antiphon_up
from tests.bench.loads.spawn import spawn_load
from tests.bench.processes import ROOT, Server, environment, launched

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: ``quick`` measures shorter and less often. Its files are below ``folder``."""

    quick: bool
    folder: Path

    @property
    def rounds(self) -> int:
        """How often floor and server are measured in turn."""
        return 2 if self.quick else 3

    @property
    def seconds(self) -> float:
        """How long a load that has no end of its own is measured."""
        return 3.0 if self.quick else 8.0

    def fresh(self) -> Path:
        """A new, empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    @asynccontextmanager
    async def floor(self, *parts: str) -> AsyncIterator[Server]:
        """A bare grpc.aio server that serves ``parts`` of tests/bench/floors, ready."""
        log = self.fresh() / "floor.log"
        async with launched("tests.bench.floors", *parts, log=log) as server:
            await server.serving()
            yield server

    @asynccontextmanager
    async def antiphon(
        self, data_dir: Path | None = None, model_url: str = ""
    ) -> AsyncIterator[Antiphon]:
        """A whole server, ready, and the operator's token."""
        async with antiphon_up(data_dir or self.fresh() / "data", model_url) as server:
            yield server

    @asynccontextmanager
    async def model(self, deltas: int, gap_ms: float) -> AsyncIterator[str]:
        """The fake endpoint as a process; gives its base URL."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.openai_endpoint", "--port", "0"),
            *("--deltas", str(deltas), "--gap-ms", str(gap_ms)),
            cwd=ROOT,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # clients that leave at a window's end
        )
        assert process.stdout is not None
        try:
            yield (await process.stdout.readline()).decode().strip()
        finally:
            process.terminate()
            await process.wait()

    async def load(self, name: str, **job: Any) -> dict[str, Any]:
        """Run a load of tests/bench/loads in a process of its own. Raises LoadFailed."""
        return await spawn_load(name, job)

    async def in_turn(
        self, floor: Callable[[], Awaitable[T]], ours: Callable[[], Awaitable[T]]
    ) -> tuple[list[T], list[T]]:
        """Measure floor, server, floor, server …, so that a noisy moment hits both."""
        floors, measured = [], []
        for _ in range(self.rounds):
            floors.append(await floor())
            measured.append(await ours())
        return floors, measured
