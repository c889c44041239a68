"""What a process asks of each service that runs in it."""

from collections.abc import Sequence
from typing import Any, Protocol

import grpc

from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health


class Service(Protocol):
    """A composed service. The base class has defaults for everything but ``register``."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicers to a server: the port's, or the one within this process."""
        ...

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Start background work, which the lifecycle ends. The services it calls have started."""
        return

    async def drain(self, grace_s: float) -> None:
        """Accept no new work, notify waiting clients, and return when running work has ended."""
        return

    def streams(self) -> int:
        """How many client streams are open here."""
        return 0

    def collectors(self) -> Sequence[Any]:
        """Its collectors for prometheus_client."""
        return ()
