"""What is to be done about a schedule: which due times run, which are left out, what comes next."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from antiphon_server.scheduling.due_times import due_times, shown
from antiphon_server.scheduling.model import MINUTE_US, Cron, Missed, Schedule

LATE_US = MINUTE_US
"""A due time is missed so long after it."""
MOST_MADE_UP = 100
MOST_COMING = 5
MOST_COUNTED = 10_000
"""Due times left out are counted up to here."""
_FIRST_LOOK_US = 2 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Plan:
    """Due times to run, in their order; how many before them are left out, and the newest of those.

    ``next_us`` is what is due behind them.
    """

    run: Sequence[int]
    skipped: int
    skipped_us: int | None
    next_us: int | None


def first_due(when: int | Cron, now_us: int) -> int | None:
    """The first due time of a rule from now on; None if there is none."""
    if isinstance(when, Cron):
        return due_times(when).after(now_us)
    return when if when > now_us - LATE_US else None


def plan(schedule: Schedule, now_us: int) -> Plan:
    """What is to be done now about one that is due: ``next_us`` is not later than now."""
    first = schedule.next_us
    assert first is not None
    newest = _newest(schedule.when, first, now_us)
    run = _chosen(newest, schedule.missed, now_us)
    left_out = newest[: len(newest) - len(run)]
    skipped_us = left_out[-1] if left_out else None
    if run and run[0] > first and skipped_us is None:
        skipped_us = _before(schedule.when, first, run[0])
    skipped = 0 if skipped_us is None else _count(schedule.when, first, skipped_us)
    return Plan(run, skipped, skipped_us, behind(schedule.when, newest[-1]))


def behind(when: int | Cron, time_us: int) -> int | None:
    """The due time behind one; None if there is none."""
    return due_times(when).after(time_us) if isinstance(when, Cron) else None


def coming(schedule: Schedule) -> Sequence[int]:
    """The due times that come next."""
    if schedule.next_us is None:
        return ()
    if not isinstance(schedule.when, Cron):
        return (schedule.next_us,)
    behind = due_times(schedule.when).between(schedule.next_us, None)
    return (schedule.next_us, *islice(behind, MOST_COMING - 1))


def turn_id_of(schedule: Schedule, due_us: int) -> str:
    """The id of the turn for a due time: whoever starts it, and however often, it is one turn."""
    told = f"{schedule.conversation_id} {schedule.schedule_id} {schedule.life} {due_us}"
    return f"turn_{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def conversation_id_of(schedule: Schedule, turn_id: str, actor: str) -> str:
    """The id of the conversation that a run of somebody's has for itself; nobody can guess it."""
    told = f"{schedule.conversation_id} {schedule.schedule_id} {schedule.life} {turn_id} {actor}"
    return f"conv_{hashlib.sha256(told.encode()).hexdigest()[:40]}"


def when_text(when: int | Cron) -> str:
    """When something is due, as people write it."""
    if isinstance(when, Cron):
        return f"{when.expression} {when.time_zone or 'UTC'}"
    return shown(when, when).isoformat()


def _chosen(newest: Sequence[int], missed: Missed, now_us: int) -> Sequence[int]:
    if missed is Missed.ALL:
        return newest[-MOST_MADE_UP:]
    if missed is Missed.ONE or now_us - newest[-1] <= LATE_US:
        return newest[-1:]
    return ()


def _newest(when: int | Cron, first: int, now_us: int) -> list[int]:
    """The due times from ``first`` until now: all, or the newest if there are very many."""
    if not isinstance(when, Cron):
        return [first]
    span = _FIRST_LOOK_US
    while True:
        start = max(first, now_us - span)
        found = list(due_times(when).between(start - 1, now_us))
        if start == first:
            return found if found[:1] == [first] else [first, *found]
        if len(found) > MOST_MADE_UP:
            return found
        span *= 2


def _before(when: int | Cron, first: int, time_us: int) -> int:
    """The newest due time before another; ``first`` is one."""
    return _newest(when, first, time_us - 1)[-1]


def _count(when: int | Cron, first: int, last: int) -> int:
    if not isinstance(when, Cron):
        return 1
    count = 1
    for _ in due_times(when).between(first, last):
        count += 1
        if count == MOST_COUNTED:
            break
    return count
