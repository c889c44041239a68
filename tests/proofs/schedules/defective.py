"""Two ways to get it wrong, which the proof has to find."""

from typing import Any

from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.model import Outcome, Run, Schedule
from antiphon_server.scheduling.planning import turn_id_of


class _OtherIds:
    """A starter that is asked for another turn each time."""

    def __init__(self, starter: Any) -> None:
        self._starter = starter

    def place(self, schedule: Schedule, turn_id: str) -> str:
        return schedule.conversation_id

    async def ours(self, schedule: Schedule, turn_id: str) -> bool:
        return bool(await self._starter.ours(schedule, turn_id))

    async def start(self, schedule: Schedule, turn_id: str, due_us: int) -> bool:
        return bool(await self._starter.start(schedule, new_id("turn"), due_us))

    async def came(self, schedule: Schedule, turn_id: str) -> bool:
        return False


class RandomIds(Firing):
    """Turns have ids of their own, so that one which was started is started again."""

    def __init__(self, store: Any, starter: Any, now_us: Any) -> None:
        super().__init__(store, _OtherIds(starter), now_us)


class NotedBefore(Firing):
    """What is due next is stored before the turn is started."""

    async def _run(self, schedule: Schedule, due_us: int, next_us: int | None) -> Schedule | None:
        run = Run(due_us, self._now_us(), Outcome.STARTED, "turn_of_tomorrow")
        await self._store.advance(schedule, run, next_us)
        return await super()._run(schedule, due_us, next_us)

    async def _started(self, schedule: Schedule, due_us: int) -> Run | None:
        turn_id = turn_id_of(schedule, due_us)
        if not await self._starter.start(schedule, turn_id, due_us):
            return None
        return Run(due_us, self._now_us(), Outcome.STARTED, turn_id)
