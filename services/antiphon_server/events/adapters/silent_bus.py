"""No bus: nodes look into their store, often."""

import asyncio

from antiphon_server.events.model import Commit, Scope
from antiphon_server.events.ports import Hearer


class SilentBus:
    """A :class:`~antiphon_server.events.ports.Bus` that carries nothing."""

    carries = False

    def committed(self, commit: Commit) -> None:
        """See :meth:`Bus.committed`."""

    def said(self, scope: Scope, body: bytes) -> None:
        """See :meth:`Bus.said`."""

    async def run(self, store: str, hearer: Hearer) -> None:
        """See :meth:`Bus.run`."""
        await asyncio.Event().wait()
