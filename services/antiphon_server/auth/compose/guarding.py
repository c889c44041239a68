"""What the calls of a process are guarded with, whether auth runs in it or elsewhere."""

from collections.abc import Callable
from typing import Protocol

from antiphon_server.auth.service.coalescing import Coalesced
from antiphon_server.auth.service.liveness import Listener
from antiphon_server.auth.service.verifier import Verifier
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health


class Guarding(Protocol):
    """Knows who calls, and records what was refused."""

    @property
    def verifier(self) -> Verifier:
        """Knows tokens, and sessions that have ended."""
        ...

    @property
    def coalesced(self) -> Coalesced:
        """Takes security events, of which many alike become one."""
        ...

    def on_session_end(self, listener: Listener) -> None:
        """Call ``listener`` with each session that ends from now on."""
        ...

    def on_keys_withdrawn(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a key stops being valid."""
        ...

    async def start_guarding(self, lifecycle: Lifecycle, health: Health) -> None:
        """Begin, before any service does; the lifecycle ends it."""
        ...
