"""Handlers that do as the test says, and stores that are slow."""

import asyncio
from collections.abc import Sequence

from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.handling import Order, PastCall, Turn, Work
from antiphon_server.dispatcher.model import HandlerInfo, LossPolicy, StoredTurn
from antiphon_server.runtime.storage.database import Database


class Told:
    """A handler that writes what it is told, when it is told.

    ``heard`` counts the lines that it has worked off, ``losses`` are the texts of lost attempts,
    and ``deaf`` what it raises when told of them. ``stored`` are turns' ends: whether they were.
    """

    def __init__(self, name: str, loss: LossPolicy) -> None:
        self._info = HandlerInfo(name, "", loss)
        self.running = asyncio.Event()
        self.lines: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self.resumed: list[str] = []
        self.losses: list[str] = []
        self.deaf: list[Exception] = []
        self.stored: list[bool] = []
        self.cancelled = 0
        self.heard = 0

    @property
    def info(self) -> HandlerInfo:
        return self._info

    def say(self, *lines: str | BaseException | None) -> None:
        """Have it write these, end with None, or fail."""
        for line in lines:
            self.lines.put_nowait(line)

    async def check(self, order: Order, workspace_id: str) -> None:
        """It takes anything."""

    async def lost(self, turn: Turn, text: str, calls: Sequence[PastCall]) -> None:
        """It keeps in mind what."""
        self.losses.append(text)
        if self.deaf:
            raise self.deaf.pop()

    async def run(self, work: Work) -> None:
        self.running.set()
        self.resumed.append(work.resumed_text)
        work.outputs.on_end(self.stored.append)
        try:
            while (line := await self.lines.get()) is not None:
                if isinstance(line, BaseException):
                    raise line
                await work.write(line)
                self.heard += 1
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running.clear()


class Reluctant(Told):
    """One that lets go only when it may."""

    def __init__(self, name: str, loss: LossPolicy) -> None:
        super().__init__(name, loss)
        self.may_go = asyncio.Event()

    async def run(self, work: Work) -> None:
        try:
            await super().run(work)
        finally:
            await self.may_go.wait()


class SlowStore(SqlTurnStore):
    """A store that takes its time to answer."""

    delay_s = 0.0

    async def add(self, turn: StoredTurn) -> StoredTurn:
        stored = await super().add(turn)
        await asyncio.sleep(self.delay_s)
        return stored

    async def put(self, turn: StoredTurn) -> None:
        await asyncio.sleep(self.delay_s)
        await super().put(turn)


class SlowToSay(SqlTurnStore):
    """A store that has a turn before it says so, which it does when ``say`` is set."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.added = asyncio.Event()
        self.say = asyncio.Event()

    async def add(self, turn: StoredTurn) -> StoredTurn:
        stored = await super().add(turn)
        self.added.set()
        await self.say.wait()
        return stored
