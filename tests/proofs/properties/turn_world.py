"""Those around the dispatcher: a handler that is told what to do, and the time."""

import asyncio
from collections.abc import Sequence

from antiphon_server.dispatcher.handling import Order, PastCall, Turn, Work
from antiphon_server.dispatcher.model import HandlerInfo, LossPolicy


class Puppet:
    """A handler that does for each turn what it is told."""

    def __init__(self, name: str, loss: LossPolicy, said: dict[str, str]) -> None:
        self.info = HandlerInfo(name, "", loss)
        self.told: dict[str, asyncio.Queue[str | Exception | None]] = {}
        self._said = said

    async def check(self, order: Order, workspace_id: str) -> None:
        """It takes anything."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It has nothing elsewhere."""

    async def run(self, work: Work) -> None:
        told = self.told[work.turn.turn_id] = asyncio.Queue()
        self._said[work.turn.turn_id] = work.resumed_text
        try:
            while (line := await told.get()) is not None:
                if isinstance(line, Exception):
                    raise line
                self._said[work.turn.turn_id] += line
                await work.write(line)
        finally:
            del self.told[work.turn.turn_id]


class Clock:
    """Unix time that moves when told to, and a little whenever it is read."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        self.time += 0.001
        return self.time
