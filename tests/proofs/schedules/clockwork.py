"""Servers that look for due times, on a store that is real; their clocks and their ends are not.

A server may die at each step: before a turn is started, behind that, and behind what is stored of
it. Which of them decides about a conversation changes when one dies, and while another works.
"""

import asyncio
import random
from dataclasses import dataclass, field

from antiphon_server.runtime.concurrency.tasks import completed, first_of
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.model import Run, Schedule
from antiphon_server.scheduling.ports import ScheduleStore


class Death(asyncio.CancelledError):
    """The end of a server: whatever it is doing ends with it."""


@dataclass
class World:
    """What all servers share: the time, who decides about what, and the turns there are.

    ``turns`` are by their ids, each there once, as the dispatcher keeps them; ``left_out`` are due
    times that were skipped, by schedule.
    """

    chance: random.Random
    now_us: int
    deadly: float
    lanes: dict[str, int] = field(default_factory=dict)
    turns: dict[str, str] = field(default_factory=dict)
    again: int = 0
    deaths: int = 0
    left_out: dict[str, list[Run]] = field(default_factory=dict)


@dataclass
class Life:
    """One life of a server; ``died`` is set behind it."""

    world: World
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def perhaps_die(self) -> None:
        """Now and then."""
        if self.world.chance.random() < self.world.deadly:
            self.world.deaths += 1
            self.died.set()
            raise Death


@dataclass
class Starts:
    """A :class:`~antiphon_server.scheduling.ports.Starter` that keeps turns in the world."""

    life: Life
    number: int

    @property
    def world(self) -> World:
        return self.life.world

    def place(self, schedule: Schedule, turn_id: str) -> str:
        return schedule.conversation_id

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        where = schedule.conversation_id
        return self.world.lanes.setdefault(where, self.number) == self.number

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        world = self.world
        if not await self.ours(schedule, turn_id):
            return False
        self.life.perhaps_die()
        if turn_id in world.turns:
            world.again += 1
        world.turns.setdefault(turn_id, schedule.schedule_id)
        self.life.perhaps_die()
        return True

    async def came(self, schedule: Schedule, turn_id: str) -> bool:
        return turn_id in self.world.turns


@dataclass
class Dying:
    """A store whose server may die behind each step."""

    life: Life
    store: ScheduleStore

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    async def advance(self, schedule: Schedule, run: Run, next_us: int | None) -> bool:
        is_due = await completed(self._advanced(schedule, run, next_us))
        self.life.perhaps_die()
        return is_due

    async def _advanced(self, schedule: Schedule, run: Run, next_us: int | None) -> bool:
        """What is under way when a server dies is stored all the same."""
        is_due = await self.store.advance(schedule, run, next_us)
        if is_due and run.skipped:
            self.life.world.left_out.setdefault(schedule.schedule_id, []).append(run)
        return is_due


@dataclass
class Server:
    """One of them, as long as it lives: ``made`` makes its part that looks for due times."""

    world: World
    number: int
    store: ScheduleStore
    made: type[Firing] = Firing

    async def look(self) -> None:
        """Once, or until it dies: what it decided about is another's then, now and then."""
        world, life = self.world, Life(self.world)
        skew_us = world.chance.randrange(-500_000, 500_000)
        dying: ScheduleStore = Dying(life, self.store)  # type: ignore[assignment]
        firing = self.made(dying, Starts(life, self.number), lambda: world.now_us + skew_us)
        await firing.look()
        await first_of([firing.settle(), life.died.wait()])
        if life.died.is_set():
            await firing.close()
            for where, number in world.lanes.items():
                if number == self.number and world.chance.random() < 0.5:
                    world.lanes[where] = 1 - number
