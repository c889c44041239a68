"""What became of schedules' due times, in the logs of their conversations."""

from typing import TYPE_CHECKING

from antiphon.events.v1.event_pb2 import Event, ScheduleFailed, ScheduleSkipped
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.rpc.times import timestamp
from antiphon_server.scheduling.model import Outcome, Untold

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 10.0
ACTOR = "services/dispatcher"


class LoggedRuns:
    """A :class:`~antiphon_server.scheduling.ports.Announces` by the EventService."""

    def __init__(self, events: "EventServiceAsyncStub") -> None:
        self._events = events

    async def announce(self, it: Untold) -> None:
        """See :meth:`Announces.announce`."""
        request = AppendRequest(
            scope=f"conversations/{it.conversation_id}",
            events=[_event(it)],
            request_id=f"{it.schedule_id}:{it.run.due_us}:{it.run.run_us}",
        )
        with remote_errors("events"):
            await self._events.Append(request, timeout=TIMEOUT_S)


def _event(it: Untold) -> Event:
    run, due_time = it.run, timestamp(it.run.due_us)
    if run.outcome is Outcome.SKIPPED:
        left_out = ScheduleSkipped(
            schedule_id=it.schedule_id, due_time=due_time, skipped=run.skipped
        )
        return Event(actor=ACTOR, schedule_skipped=left_out)
    failed = ScheduleFailed(
        schedule_id=it.schedule_id, due_time=due_time, error=run.error, paused=run.paused
    )
    return Event(actor=ACTOR, schedule_failed=failed)
