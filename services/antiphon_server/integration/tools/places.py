"""A place among those of a connection, which a call has while it does something."""

import asyncio
from typing import Self


class Place:
    """One of the ``places``: an async context manager, by which it is taken and given back.

    Meanwhile it may be given to others and taken again. Who waits for it when the block is left
    keeps none.
    """

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places, self._held, self._left = places, False, False

    def give(self) -> None:
        """Let others have it."""
        if self._held:
            self._held = False
            self._places.release()

    async def take(self) -> None:
        """Have it again, once there is one."""
        if self._held or self._left:
            return
        await self._places.acquire()
        if self._held or self._left:
            self._places.release()
        else:
            self._held = True

    async def __aenter__(self) -> Self:
        await self.take()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._left = True
        self.give()
