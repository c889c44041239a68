"""What a process asks of each service that runs in it."""

from collections.abc import Sequence
from typing import Any, Protocol

import grpc

from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health


class Service(Protocol):
    """A service that was composed. Who inherits has defaults for all but ``register``."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add the servicers of its contracts to a server: the port's, or one of this process."""
        ...

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Begin what runs in the background; the lifecycle ends it. Whom it calls has started."""
        return

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, tell those who wait, and return when what had to end has ended."""
        return

    def streams(self) -> int:
        """How many streams clients have open here."""
        return 0

    def collectors(self) -> Sequence[Any]:
        """What it shows of itself to Prometheus: prometheus_client's collectors."""
        return ()
