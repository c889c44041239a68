"""What rows are given: how much to do, and the parts to do it with."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.proofs.bench.antiphon import Antiphon, antiphon, operator_token
from tests.proofs.bench.loads.spawn import spawn_load
from tests.proofs.bench.processes import Printed, printed
from tests.proofs.bench.servers import Floor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: ``quick`` measures shorter and less often. Its files are below ``folder``."""

    quick: bool
    folder: Path

    @property
    def rounds(self) -> int:
        """How often floor and server are measured in turn."""
        return 3 if self.quick else 5

    @property
    def seconds(self) -> float:
        """How long a load that has no end of its own is measured."""
        return 2.0 if self.quick else 4.0

    def fresh(self) -> Path:
        """A new, empty folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def floor(self, *parts: str) -> Floor:
        """A bare grpc.aio server that serves ``parts`` of tests/proofs/bench/floors."""
        return Floor(self.fresh(), *parts)

    @asynccontextmanager
    async def antiphon(
        self,
        data_dir: Path | None = None,
        model_url: str = "",
        models: Sequence[Mapping[str, Any]] = (),
        variables: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Antiphon]:
        """A whole server, ready, and the operator's token."""
        home = data_dir.parent if data_dir else self.fresh()
        async with antiphon(home, model_url, variables, models=models) as server:
            yield Antiphon(server, await operator_token(server))

    def model(self, deltas: int, gap_ms: float) -> AbstractAsyncContextManager[Printed]:
        """The fake endpoint as a process; its line is its base URL."""
        return printed("tests.proofs.bench.endpoint", f"--deltas={deltas}", f"--gap-ms={gap_ms}")

    def canned(self, deltas: int) -> AbstractAsyncContextManager[Printed]:
        """A server that does nothing but send bytes; its line is its address."""
        return printed("tests.proofs.bench.canned", f"--deltas={deltas}")

    async def load(self, name: str, **job: Any) -> dict[str, Any]:
        """Run a load of tests/proofs/bench/loads in a process of its own. Raises LoadFailed."""
        return await spawn_load(name, job)

    async def in_turn(self, *sides: Callable[[], Awaitable[T]]) -> tuple[list[T], ...]:
        """Measure floor, server, server, floor, floor …, so that a noisy moment hits all."""
        found: tuple[list[T], ...] = tuple([] for _ in sides)
        order = list(zip(found, sides, strict=True))
        for _ in range(self.rounds):
            for results, measure in order:
                results.append(await measure())
            order.reverse()
        return found
