"""A bus between logs of one process."""

import asyncio

from antiphon_server.events.model import Commit, Scope
from antiphon_server.events.ports import Hearer


class MemoryExchange:
    """Where those who share a bus meet."""

    def __init__(self) -> None:
        self.hearers: dict[object, Hearer] = {}


class MemoryBus:
    """A :class:`~antiphon_server.events.ports.Bus` to all others of an exchange."""

    def __init__(self, exchange: MemoryExchange) -> None:
        self._exchange = exchange

    @property
    def carries(self) -> bool:
        """See :meth:`Bus.carries`."""
        return self in self._exchange.hearers

    def committed(self, commit: Commit) -> None:
        """See :meth:`Bus.committed`."""
        for hearer in self._others():
            hearer.heard(commit)

    def said(self, scope: Scope, body: bytes) -> None:
        """See :meth:`Bus.said`."""
        for hearer in self._others():
            hearer.heard_ephemeral(scope, body)

    async def run(self, store: str, hearer: Hearer) -> None:
        """See :meth:`Bus.run`."""
        self._exchange.hearers[self] = hearer
        hearer.missed()
        try:
            await asyncio.Event().wait()
        finally:
            del self._exchange.hearers[self]

    def _others(self) -> list[Hearer]:
        return [hearer for bus, hearer in self._exchange.hearers.items() if bus is not self]
