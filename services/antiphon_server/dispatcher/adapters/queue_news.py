"""A queue of which a workspace's log says that it has changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.events.v1.handoff_pb2 import HandoffQueueChanged
from antiphon_server.dispatcher.handoff_model import QueuedHandoff
from antiphon_server.dispatcher.model import Turn
from antiphon_server.dispatcher.ports import HandoffQueue
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.telemetry.structured import structlog

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 5.0
ACTOR = "services/dispatcher"
log = structlog.get_logger(__name__)


class ToldQueue:
    """See :class:`~antiphon_server.dispatcher.ports.HandoffQueue`.

    What can't be told at once is not told later: who looks again finds it.
    """

    def __init__(self, queue: HandoffQueue, events: "EventServiceAsyncStub") -> None:
        self._queue, self._events = queue, events

    async def put(self, queued: QueuedHandoff) -> None:
        await self._queue.put(queued)
        await self._tell(queued.workspace_id)

    async def remove(self, turn: Turn) -> None:
        try:
            await self._queue.remove(turn)
        except DomainError as error:  # its turn's end hides it
            log.warning("a hand-off stays in its queue", turn_id=turn.turn_id, why=error.reason)
        await self._tell(turn.workspace_id)

    async def list(
        self, workspace_id: str, after: tuple[int, str], limit: int
    ) -> Sequence[QueuedHandoff]:
        return await self._queue.list(workspace_id, after, limit)

    async def _tell(self, workspace_id: str) -> None:
        request = AppendRequest(
            scope=f"workspaces/{workspace_id}",
            events=[Event(actor=ACTOR, handoff_queue_changed=HandoffQueueChanged())],
            request_id=new_id("queue"),
        )
        try:
            with remote_errors("events"):
                await self._events.Append(request, timeout=TIMEOUT_S)
        except DomainError as error:
            log.warning("a queue's change could not be told", why=error.reason)
