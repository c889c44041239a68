"""Those around the dispatcher: a handler that is told what to do, stores that may die."""

import asyncio
from collections.abc import Collection, Sequence

from antiphon_server.dispatcher.handling import Work
from antiphon_server.dispatcher.model import (
    HandlerInfo,
    LossPolicy,
    StoredTurn,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.events.model import Append, Appended
from antiphon_server.runtime.errors import DomainError
from tests.fakes.memory.events.store import MemoryLogStore
from tests.proofs.properties.life import Life


class Puppet:
    """A handler that does for each turn what it is told."""

    def __init__(self, name: str, loss: LossPolicy, said: dict[str, str]) -> None:
        self.info = HandlerInfo(name, "", loss)
        self.told: dict[str, asyncio.Queue[str | Exception | None]] = {}
        self._said = said

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


class MortalTurns:
    """A store of turns whose process may die."""

    def __init__(self, inner: TurnStore, life: Life) -> None:
        self._inner = inner
        self._life = life
        self.get = inner.get
        self.list = inner.list

    async def add(self, turn: StoredTurn) -> StoredTurn:
        return await self._life.commit(self._inner.add(turn))

    async def put(self, turn: StoredTurn) -> None:
        await self._life.commit(self._inner.put(turn))

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        return await self._life.commit(self._inner.claim(node, now_us, until_us, own=own))

    async def renew(self, node: str, turn_ids: Collection[TurnId], until_us: int) -> set[TurnId]:
        return await self._life.commit(self._inner.renew(node, turn_ids, until_us))


class MortalLog(MemoryLogStore):
    """A store of the log whose process may die; its commits take some turns of the loop."""

    life: Life

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        return await self.life.commit(self._append_slowly(batch))

    async def _append_slowly(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        await asyncio.sleep(0)
        return await super().append(batch)
