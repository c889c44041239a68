"""Due times by the thousand, over restarts, jumps of the clock and two servers, and a judge."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from antiphon_server.runtime.storage.database import Database
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.model import MINUTE_US, Cron, Missed, Run, Schedule
from antiphon_server.scheduling.planning import LATE_US, MOST_MADE_UP, turn_id_of
from tests.proofs.schedules.clockwork import Server, World

BEGIN_US = 28_999_980 * MINUTE_US  # a full hour, and a multiple of all intervals
INTERVALS = {1: "* * * * *", 5: "*/5 * * * *", 15: "*/15 * * * *", 60: "0 * * * *"}
SCHEDULES = 24
SKEW_US = 500_000


@dataclass
class Came:
    """What came of it; ``wrong`` are the rules that were broken."""

    due: int = 0
    started: int = 0
    skipped: int = 0
    again: int = 0
    deaths: int = 0
    jumps: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """All of it."""
        jumps = f"{self.jumps['forward']} jumps forward, {self.jumps['back']} back"
        return (
            f"{self.due} due times: {self.started} started, {self.skipped} left out; "
            f"{self.deaths} servers died, {self.again} turns were started again, {jumps}; "
            f"{len(self.wrong)} wrong"
        )


async def due_times_of(
    database: Database, least: int, seed: str, made: type[Firing] = Firing, deadly: float = 0.02
) -> Came:
    """Let at least so many become due, and judge what came of each."""
    chance, came, store = random.Random(seed), Came(), SqlSchedules(database)
    world = World(chance, BEGIN_US, deadly)
    schedules = await _added(store)
    servers = [Server(world, number, store, made) for number in range(2)]
    newest_us = BEGIN_US
    while await _due(store, schedules) < least:
        world.now_us = _later(world.now_us, chance, came)
        newest_us = max(newest_us, world.now_us)
        await asyncio.gather(*(it.look() for it in servers if chance.random() < 0.9))
    world.now_us, world.deadly = newest_us + SKEW_US, 0.0
    for _ in range(5):
        await asyncio.gather(*(it.look() for it in servers))
    for each in schedules:
        await _judge(store, world, each, came)
    strays = set(world.turns.values()) - {it.schedule_id for it in schedules}
    came.wrong += [f"a turn of nothing that is there: {it}" for it in strays]
    came.again, came.deaths = world.again, world.deaths
    return came


async def _added(store: SqlSchedules) -> Sequence[Schedule]:
    added = []
    for number in range(SCHEDULES):
        interval = list(INTERVALS)[number % len(INTERVALS)]
        added.append(
            await store.add(
                Schedule(
                    f"sched_{number:08}",
                    f"conv_{number % 7:08}",
                    "ws_00000001",
                    "users/user_00000001",
                    BEGIN_US,
                    f"life_{number}",
                    b"",
                    Cron(INTERVALS[interval], ""),
                    list(Missed)[number // len(INTERVALS) % len(Missed)],
                    etag="one",
                    next_us=BEGIN_US + interval * MINUTE_US,
                )
            )
        )
    return added


def _later(now_us: int, chance: random.Random, came: Came) -> int:
    """Mostly a moment; sometimes hours, when no server ran or somebody has set the clock."""
    what = chance.random()
    if what < 0.01:
        came.jumps["forward"] += 1
        return now_us + chance.randrange(3, 200) * MINUTE_US
    if what < 0.05:
        came.jumps["back"] += 1
        return now_us - chance.randrange(1, 40) * MINUTE_US
    return now_us + chance.randrange(1, 100) * 1_000_000


async def _due(store: SqlSchedules, schedules: Sequence[Schedule]) -> int:
    return sum([await _due_of(store, each) for each in schedules])


async def _due_of(store: SqlSchedules, schedule: Schedule) -> int:
    """How many of its due times are decided."""
    now = await store.get(schedule.conversation_id, schedule.schedule_id)
    assert now is not None
    assert now.next_us is not None
    assert schedule.next_us is not None
    return (now.next_us - schedule.next_us) // _interval_us(schedule)


def _interval_us(schedule: Schedule) -> int:
    assert isinstance(schedule.when, Cron)
    minutes = next(it for it, cron in INTERVALS.items() if cron == schedule.when.expression)
    return minutes * MINUTE_US


async def _judge(store: SqlSchedules, world: World, schedule: Schedule, came: Came) -> None:
    """Each due time has one turn, or is one of those that were left out, for a reason."""
    name, due = schedule.schedule_id, await _due_of(store, schedule)
    step_us, first_us = _interval_us(schedule), schedule.next_us
    assert first_us is not None
    due_us = [first_us + number * step_us for number in range(due)]
    has_turn = {it for it in due_us if turn_id_of(schedule, it) in world.turns}
    turns = sum(owner == name for owner in world.turns.values())
    runs = world.left_out.get(name, [])
    left_out = [run.due_us - back * step_us for run in runs for back in range(run.skipped)]
    if turns != len(has_turn):
        came.wrong.append(f"{name}: {turns - len(has_turn)} turns too many")
    lost = set(due_us) - has_turn - set(left_out)
    came.wrong += [f"{name}: nothing became of {it}" for it in sorted(lost)]
    both = has_turn & set(left_out)
    came.wrong += [f"{name}: {it} was left out, and started" for it in sorted(both)]
    if len(left_out) != len(set(left_out)):
        came.wrong.append(f"{name}: some were left out twice")
    came.wrong += [
        f"{name}: {run} was left out for nothing"
        for run in runs
        if not _may_be_left_out(schedule, run, step_us)
    ]
    if world.now_us - (due_us[-1] if due_us else first_us) > step_us + LATE_US:
        came.wrong.append(f"{name}: it is behind")
    came.due, came.started = came.due + due, came.started + len(has_turn)
    came.skipped += len(left_out)


def _may_be_left_out(schedule: Schedule, run: Run, step_us: int) -> bool:
    """By the policy, at the time when that was decided."""
    past_us = run.run_us - run.due_us
    if schedule.missed is Missed.SKIP:
        return past_us > LATE_US or past_us >= step_us
    if schedule.missed is Missed.ONE:
        return past_us >= step_us  # a newer one ran
    return past_us >= MOST_MADE_UP * step_us
