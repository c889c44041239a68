"""What is said by the clock, and what handlers say to each other."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from antiphon.dispatcher.v1 import schedule_service_pb2 as messages
from antiphon.dispatcher.v1.schedule_pb2 import Schedule
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from antiphon_client.ids import new_schedule_id
from tests.e2e.entrances.entrance import Stage, reason_of, reason_of_call
from tests.e2e.until import until_it
from tests.filters.corpus import Sample

HANDLER = "asking"
"""A worker's, which has another handler work on the sample that its message names."""
TOLD = "was told: "
SOON_S, DAY_S = 6.0, 86_400.0


async def scheduled(stage: Stage, sample: Sample) -> str:
    """As a new schedule."""
    return await reason_of_call(_made(stage, sample, DAY_S))


async def schedules(stage: Stage, samples: Sequence[Sample]) -> None:
    """Schedules that say them, made before filters stand, which are due in a moment."""
    for sample in samples:
        stage.made[sample.name] = await _made(stage, sample, SOON_S)


async def due(stage: Stage, sample: Sample) -> str:
    """By a schedule, when it is due."""
    where, made = stage.calls.conversation_id, stage.made[sample.name]

    async def ran() -> bool:
        return bool(await stage.client.list_schedule_runs(where, made))

    await until_it(ran)
    (run,) = await stage.client.list_schedule_runs(where, made)
    await stage.client.delete_schedule(where, made)
    assert bool(run.turn_id) != bool(run.error)
    return run.error


async def later_schedules(stage: Stage, samples: Sequence[Sample]) -> None:
    """The same, due tomorrow."""
    for sample in samples:
        stage.made[sample.name] = await _made(stage, sample, DAY_S)


async def run_now(stage: Stage, sample: Sample) -> str:
    """By a schedule that is run by hand."""
    where, made = stage.calls.conversation_id, stage.made[sample.name]
    reason = await reason_of(stage.client.run_schedule(where, made))
    await stage.client.delete_schedule(where, made)
    return reason


async def _made(stage: Stage, sample: Sample, in_s: float) -> str:
    calls = stage.calls
    schedule = Schedule(schedule_id=new_schedule_id(), parts=calls.post(*sample.parts).parts)
    schedule.handler = "echo"
    schedule.at.FromDatetime(datetime.now(UTC) + timedelta(seconds=in_s))
    await calls(
        ScheduleServiceStub(calls.channel).CreateSchedule,
        messages.CreateScheduleRequest(conversation_id=calls.conversation_id, schedule=schedule),
    )
    return schedule.schedule_id


async def delegated(stage: Stage, sample: Sample) -> str:
    """By a worker's turn, which asks another handler."""
    where = (await stage.client.create_conversation()).conversation_id
    async with stage.client.converse(where) as live:
        said = (await (await live.post(sample.name, handler=HANDLER)).result()).text
    assert said.startswith(TOLD), said
    return said.removeprefix(TOLD)
