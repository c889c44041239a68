"""A method of a real object that counts how often it is asked, and may answer late."""

import asyncio
from typing import Any


class Asked:
    """Takes the place of a method, of an object that is the test's own.

    What the first call gets is ``found``, and told when ``answer`` is set.
    """

    def __init__(self, owner: object, method: str, *, late: bool = False) -> None:
        self._method = getattr(owner, method)
        self.times = 0
        self.found, self.answer = asyncio.Event(), asyncio.Event()
        if not late:
            self.answer.set()
        setattr(owner, method, self)

    async def __call__(self, *values: Any, **named: Any) -> Any:
        """What the method says now, the first time told later."""
        self.times += 1
        first = self.times == 1
        result = await self._method(*values, **named)
        if first:
            self.found.set()
            await self.answer.wait()
        return result
