"""Wakes one task that waits for something to do."""

import asyncio


class Bell:
    """An event with one listener: a tenth of :class:`asyncio.Event` in memory.

    A stream that is idle is made of little else.
    """

    __slots__ = ("_listener", "_rung")

    def __init__(self) -> None:
        self._rung = False
        self._listener: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the listener, or the next one who listens."""
        self._rung = True
        if self._listener is not None and not self._listener.done():
            self._listener.set_result(None)

    def silence(self) -> None:
        """Forget that it was rung."""
        self._rung = False

    async def heard(self) -> None:
        """Return when it has been rung."""
        if self._rung:
            return
        self._listener = asyncio.get_running_loop().create_future()
        try:
            await self._listener
        finally:
            self._listener = None
