"""A bus between logs of one process."""

import asyncio

from antiphon_server.events.model import Commit, Scope
from antiphon_server.events.ports import BusListener


class Exchange:
    """Where those who share a bus meet."""

    def __init__(self) -> None:
        self.listeners: dict[object, BusListener] = {}


class LocalBus:
    """A :class:`~antiphon_server.events.ports.Bus` to all others of an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def connected(self) -> bool:
        """See :meth:`Bus.connected`."""
        return self in self._exchange.listeners

    def send_commit(self, commit: Commit) -> None:
        """See :meth:`Bus.send_commit`."""
        for listener in self._others():
            listener.on_commit(commit)

    def send_ephemeral(self, scope: Scope, body: bytes) -> None:
        """See :meth:`Bus.send_ephemeral`."""
        for listener in self._others():
            listener.on_ephemeral(scope, body)

    async def run(self, store: str, listener: BusListener) -> None:
        """See :meth:`Bus.run`."""
        self._exchange.listeners[self] = listener
        listener.on_missed()
        try:
            await asyncio.Event().wait()
        finally:
            del self._exchange.listeners[self]

    def _others(self) -> list[BusListener]:
        return [listener for bus, listener in self._exchange.listeners.items() if bus is not self]
