"""Messages between processes that can't reach each other, or are one."""

import asyncio


class MemoryMessenger:
    """A :class:`~antiphon_server.auth.ports.messenger.RevocationMessenger` that reaches nobody."""

    hears = False

    def tell(self) -> None:
        """See :meth:`RevocationMessenger.tell`."""

    async def told(self, timeout: float) -> None:
        """See :meth:`RevocationMessenger.told`."""
        await asyncio.sleep(timeout)

    async def close(self) -> None:
        """See :meth:`RevocationMessenger.close`."""
