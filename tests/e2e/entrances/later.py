"""What is said by the clock, and what handlers say to each other."""

from datetime import UTC, datetime, timedelta

from antiphon.dispatcher.v1 import schedule_service_pb2 as messages
from antiphon.dispatcher.v1.schedule_pb2 import Schedule
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from antiphon_client.ids import new_schedule_id
from tests.e2e.entrances.entrance import Stage, reason_of
from tests.e2e.until import until_it
from tests.filters.corpus import Sample

HANDLER = "asking"
"""A worker's, which has another handler work on the sample that its message names."""
TOLD = "was told: "


async def due(stage: Stage, sample: Sample) -> str:
    """By a schedule, when it is due."""
    made = await _scheduled(stage, sample, datetime.now(UTC))
    where = stage.calls.conversation_id

    async def ran() -> bool:
        return bool(await stage.client.list_schedule_runs(where, made))

    await until_it(ran)
    (run,) = await stage.client.list_schedule_runs(where, made)
    await stage.client.delete_schedule(where, made)
    assert bool(run.turn_id) != bool(run.error)
    return run.error


async def run_now(stage: Stage, sample: Sample) -> str:
    """By a schedule that is run by hand."""
    made = await _scheduled(stage, sample, datetime.now(UTC) + timedelta(days=1))
    where = stage.calls.conversation_id
    reason = await reason_of(stage.client.run_schedule(where, made))
    await stage.client.delete_schedule(where, made)
    return reason


async def _scheduled(stage: Stage, sample: Sample, when: datetime) -> str:
    """A schedule that says it."""
    calls = stage.calls
    schedule = Schedule(schedule_id=new_schedule_id(), parts=calls.post(*sample.parts).parts)
    schedule.handler = "echo"
    schedule.at.FromDatetime(when)
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
