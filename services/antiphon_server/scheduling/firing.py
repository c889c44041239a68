"""What makes due times into turns: each starts one, or is left out, whatever crashes.

A due time's turn has an id that follows from the schedule and the time, so that starting it again
is answered with the turn that is there. What is due next is stored behind that: a crash in between
starts the same turn again, and changes nothing.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from antiphon_server.runtime.concurrency.tasks import TaskSet, every
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.passing import PASSING
from antiphon_server.runtime.telemetry.structured import structlog
from antiphon_server.scheduling.line import Line, Ready
from antiphon_server.scheduling.model import FIRST, MINUTE_US, Due, Outcome, Run, Schedule
from antiphon_server.scheduling.planning import Plan, behind, plan, turn_id_of
from antiphon_server.scheduling.ports import ScheduleStore, Starter, Watches

LOOK_S = 0.5
BATCH = 1000
FAILURES_TO_PAUSE = 5
LONG_US = 60 * MINUTE_US
"""Looking through more than that is a thread's work."""
WAITS = PASSING | {
    Reason.FILTER_UNAVAILABLE,  # what stands in front can't look now
    Reason.LIMIT_EXCEEDED,  # as many turns as there may be, until one ends
    Reason.THROTTLED,  # the creator is slowed down, and may go on later
}
"""Nothing is said by these: the due time stays due, and is tried again by and by."""

log = structlog.get_logger(__name__)


def _now_us() -> int:
    return time.time_ns() // 1000


class Firing:
    """Looks for what is due, as long as it runs."""

    def __init__(
        self,
        store: ScheduleStore,
        starter: Starter,
        now_us: Callable[[], int] = _now_us,
        watch: Watches | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._starter, self._now_us = store, starter, now_us
        self._watch = watch
        self._line, self._tasks = Line(clock), TaskSet()

    async def run(self) -> None:
        """Look regularly, until cancelled."""
        try:
            await every(LOOK_S, self.look, at_once=False)
        finally:
            await self.close()

    async def look(self) -> None:
        """Begin to start what is due now. What can't be decided now is left for the next look."""
        now_us, after, found = self._now_us(), FIRST, list[Due]()
        while batch := await self._store.due(now_us, after, BATCH):
            found += batch
            after = batch[-1].position
        self._line.looked(found, now_us)
        self._begin()
        if self._watch is not None:
            self._watch.looked(len(found))

    async def settle(self) -> None:
        """Wait until what the looks have found is decided, or has to wait for another one."""
        await self._tasks.idle()

    async def close(self) -> None:
        """Start nothing more; who begins to start a turn starts the same one again."""
        await self._tasks.stop()

    def _begin(self) -> None:
        while (ready := self._line.next()) is not None:
            self._tasks.spawn(f"due {ready.due.schedule_id}", self._fire_patiently(ready))

    async def _fire_patiently(self, ready: Ready) -> None:
        due = ready.due
        where = {"schedule_id": due.schedule_id, "turns_of": due.conversation_id}
        try:
            await self._fire(ready)
        except DomainError as error:
            self._line.wait(due, error.retry_after or 0.0)
            log.warning("a due time has to wait", why=error.reason, **where)
        except Exception:
            self._line.wait(due)
            log.exception("a due time failed, and stays due", **where)
        else:
            self._line.forget(due)
        finally:
            self._line.leave(due)
        self._begin()

    async def _fire(self, ready: Ready) -> None:
        schedule = await self._store.get(*ready.due.key)
        if schedule is None or schedule.next_us != ready.due.next_us:
            return
        what = await self._planned(schedule, ready)
        after = [*what.run, what.next_us]
        if what.skipped_us is not None:
            if not await self._ours(schedule) or await self._noted(schedule):
                return
            left = Run(what.skipped_us, self._now_us(), Outcome.SKIPPED, skipped=what.skipped)
            if not await self._advance(schedule, left, after[0]):
                return
            schedule = replace(schedule, next_us=after[0])
        for due_us, next_us in zip(what.run, after[1:], strict=True):
            went_on = await self._run(schedule, due_us, next_us)
            if went_on is None:
                return
            schedule = went_on

    async def _planned(self, schedule: Schedule, ready: Ready) -> Plan:
        """As of when it was seen due: it is not missed for having waited for a place since."""
        if ready.ready_us - ready.due.next_us > LONG_US:
            return await asyncio.to_thread(plan, schedule, ready.ready_us)
        return plan(schedule, ready.ready_us)

    async def _ours(self, schedule: Schedule) -> bool:
        """Another one that decides about the oldest due time may just be starting its turn."""
        assert schedule.next_us is not None
        return await self._starter.ours(schedule, turn_id_of(schedule, schedule.next_us))

    async def _noted(self, schedule: Schedule) -> bool:
        """Note the oldest due time if its turn was started by who died then: it is not left out.

        The rest is for the next look.
        """
        due_us = schedule.next_us
        assert due_us is not None
        turn_id = turn_id_of(schedule, due_us)
        if not await self._starter.came(schedule, turn_id):
            return False
        run = self._start_of(schedule, due_us, turn_id)
        next_us = behind(schedule.when, due_us)
        await self._advance(replace(schedule, failures=0), run, next_us)
        return True

    async def _run(self, schedule: Schedule, due_us: int, next_us: int | None) -> Schedule | None:
        """Start the turn of a due time; returns the schedule behind it, None if it ends here."""
        run = await self._started(schedule, due_us)
        if run is None:
            return None
        failures = 0 if run.outcome is Outcome.STARTED else schedule.failures + 1
        paused = failures >= FAILURES_TO_PAUSE
        behind = None if paused else next_us
        told = replace(schedule, failures=failures, paused=paused)
        is_next = await self._advance(told, replace(run, paused=paused), behind)
        return replace(told, next_us=behind) if is_next and behind is not None else None

    async def _started(self, schedule: Schedule, due_us: int) -> Run | None:
        """What became of it; None if it is not this server's to decide, or due no more."""
        known = await self._store.get(schedule.conversation_id, schedule.schedule_id)
        if known is None or (known.life, known.next_us) != (schedule.life, schedule.next_us):
            return None
        turn_id = turn_id_of(schedule, due_us)
        if not await self._starter.ours(schedule, turn_id):
            return None
        try:
            if not await self._starter.start(schedule, turn_id, due_us):
                return None
        except DomainError as error:
            if error.reason in WAITS:
                raise
            if error.reason is not Reason.REQUEST_ID_REUSED:  # the schedule was changed since
                name = error.reason.name
                return Run(due_us, self._now_us(), Outcome.FAILED, error=name)
        return self._start_of(schedule, due_us, turn_id)

    def _start_of(self, schedule: Schedule, due_us: int, turn_id: str) -> Run:
        where = self._starter.place(schedule, turn_id)
        now_us = self._now_us()
        return Run(due_us, now_us, Outcome.STARTED, turn_id, conversation_id=where)

    async def _advance(self, schedule: Schedule, run: Run, next_us: int | None) -> bool:
        is_due = await self._store.advance(schedule, run, next_us)
        if is_due and self._watch is not None:
            self._watch.decided(run)
        return is_due
