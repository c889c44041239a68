"""What stands before a server under siege: nothing, or Envoy."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from antiphon_server.mesh.envoy.process import Envoy
from antiphon_server.mesh.model import Address, CallRates, Edge
from tests.e2e.server import ServerProcess
from tests.mesh.world import HOST, envoy_before


@dataclass(slots=True)
class Front:
    """Where clients and attackers call."""

    server: ServerProcess
    envoy: Envoy | None = None

    @property
    def port(self) -> int:
        """The port."""
        return self.envoy.port if self.envoy else self.server.port

    @property
    def resident_bytes(self) -> int:
        """Memory of all processes there."""
        pid = self.envoy.pid if self.envoy else None
        own = psutil.Process(pid).memory_info().rss if pid else 0
        return self.server.resident_bytes + int(own)

    @property
    def restarts(self) -> int:
        """How often one of them ended."""
        return self.server.exits + (self.envoy.restarts if self.envoy else 0)


Before = Callable[[ServerProcess, Path], AbstractAsyncContextManager[Front]]


@asynccontextmanager
async def nothing(server: ServerProcess, _home: Path) -> AsyncIterator[Front]:
    """Attacks meet the server itself."""
    yield Front(server)


@asynccontextmanager
async def envoy(server: ServerProcess, home: Path) -> AsyncIterator[Front]:
    """Attacks meet the edge, with the limits that it has by default."""
    edge = Edge(Address(HOST, 0), rates=CallRates(20_000, 5_000))
    async with envoy_before(server.port, edge, home) as found:
        yield Front(server, found)


FRONTS: dict[str, Before] = {"nothing": nothing, "envoy": envoy}
