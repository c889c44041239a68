"""No bus: nodes look into their store, often."""

import asyncio

from antiphon_server.events.model import Commit, Scope
from antiphon_server.events.ports import BusListener


class SilentBus:
    """A :class:`~antiphon_server.events.ports.Bus` that carries nothing."""

    connected = False

    def send_commit(self, commit: Commit) -> None:
        """See :meth:`Bus.send_commit`."""

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        """See :meth:`Bus.send_ephemeral`."""

    async def run(self, store: str, listener: BusListener) -> None:
        await asyncio.Event().wait()
