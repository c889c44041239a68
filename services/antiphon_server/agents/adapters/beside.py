"""What a model is shown beside the newest messages, through the service that puts it together."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.context.v1.context_service_pb2 import GetContextResponse
from antiphon.memory.v1 import assembly_service_pb2 as pb
from antiphon_server.dispatcher.handling import Turn
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.memory.v1.assembly_service_pb2_grpc import AssemblyServiceAsyncStub

TIMEOUT_S = 3.0
"""A turn goes on without sooner than that it waits."""
AWAY_S = 10.0
"""So long a service that was away is not asked."""
MAX_QUERY = 65_536
_AWAY = frozenset(
    {Reason.SERVICE_UNAVAILABLE, Reason.UNIMPLEMENTED, Reason.DEADLINE_EXCEEDED, Reason.DRAINING}
)
_NOTHING = pb.AssembleContextResponse()
log = logging.getLogger(__name__)


class BesideMessages:
    """Asks once a turn for all of it; whatever fails, the turn goes on without."""

    def __init__(
        self,
        assembly: "AssemblyServiceAsyncStub",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assembly = assembly
        self._clock = clock
        self._away_until = 0.0

    async def of(
        self, turn: Turn, max_tokens: int, shown: GetContextResponse
    ) -> pb.AssembleContextResponse:
        """What is to be shown beside these messages, and fewer of them where both don't fit."""
        if not shown.messages or self._clock() < self._away_until:
            return _NOTHING
        request = pb.AssembleContextRequest(
            conversation_id=turn.conversation_id,
            max_tokens=max_tokens,
            message_id=turn.message_id,
            turn_id=turn.turn_id,
            newest=_newest(shown),
            query=_asked(shown),
            user_id=turn.user_id,
            workspace_id=turn.workspace_id,
        )
        try:
            with remote_errors("memory"):
                return await self._assembly.AssembleContext(request, timeout=TIMEOUT_S)
        except DomainError as error:
            if error.reason in _AWAY:
                self._away_until = self._clock() + AWAY_S
            log.info("%s is answered without what stands beside it: %s", turn.turn_id, error)
            return _NOTHING


def _newest(shown: GetContextResponse) -> pb.NewestMessages:
    first = shown.messages[0]
    return pb.NewestMessages(
        first_message_id=first.message_id,
        first_time=first.create_time,
        count=len(shown.messages),
        tokens=shown.estimated_tokens,
        omitted_messages=shown.omitted_messages,
        speakers=shown.speakers,
    )


def _asked(shown: GetContextResponse) -> str:
    """The texts of the message that is answered, which comes last."""
    texts = (part.text for part in shown.messages[-1].parts if part.HasField("text"))
    return "\n".join(texts).encode()[:MAX_QUERY].decode(errors="ignore")
