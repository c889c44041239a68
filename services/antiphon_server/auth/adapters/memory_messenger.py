"""Messages between processes that can't reach each other, or are one."""

import asyncio


class MemoryMessenger:
    """A :class:`~antiphon_server.auth.ports.messenger.RevocationMessenger` that reaches nobody."""

    connected = False

    def publish(self) -> None:
        """See :meth:`RevocationMessenger.publish`."""

    async def wait(self, timeout: float) -> None:
        await asyncio.sleep(timeout)

    async def close(self) -> None:
        """See :meth:`RevocationMessenger.close`."""
