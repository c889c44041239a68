"""A queue that says what things are about: where, from whom, and what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon.auth.v1.auth_service_pb2 import GetDisplayNamesRequest
from antiphon.context.v1.context_service_pb2 import GetConversationRequest
from antiphon_server.dispatcher.encoding import text_of
from antiphon_server.dispatcher.handoff_model import QueuedHandoff
from antiphon_server.dispatcher.model import Turn
from antiphon_server.dispatcher.ports import HandoffQueue
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.telemetry.structured import structlog

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 2.0
"""It is shown without them sooner than that people wait."""
MOST_OF_LINE = 200
_USERS = "users/"
log = structlog.get_logger(__name__)


class NamedQueue:
    """See :class:`~antiphon_server.dispatcher.ports.HandoffQueue`.

    It asks when something is put, not when it is listed: a page of two hundred asks nobody.
    """

    def __init__(
        self,
        queue: HandoffQueue,
        context: "ContextServiceAsyncStub",
        auth: "AuthServiceAsyncStub",
    ) -> None:
        self._queue, self._context, self._auth = queue, context, auth

    async def put(self, queued: QueuedHandoff) -> None:
        title, names = await self._title(queued.conversation_id), await self._names(queued)
        said = first_line(text_of(queued.content))
        await self._queue.put(replace(queued, title=title, display_names=names, first_line=said))

    async def remove(self, turn: Turn) -> None:
        await self._queue.remove(turn)

    async def list(
        self, workspace_id: str, after: tuple[int, str], limit: int
    ) -> Sequence[QueuedHandoff]:
        return await self._queue.list(workspace_id, after, limit)

    async def _title(self, conversation_id: str) -> str:
        request = GetConversationRequest(conversation_id=conversation_id)
        try:
            with remote_errors("context"):
                found = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        except DomainError as error:
            log.info("a hand-off is shown without a title", why=error.reason)
            return ""
        return found.conversation.title

    async def _names(self, queued: QueuedHandoff) -> Mapping[str, str]:
        actors = {queued.creator, queued.handoff.asked_by, queued.handoff.claimed_by}
        ids = sorted(it.removeprefix(_USERS) for it in actors if it.startswith(_USERS))
        if not ids:
            return {}
        request = GetDisplayNamesRequest(user_ids=ids)
        try:
            with remote_errors("auth"):
                found = await self._auth.GetDisplayNames(request, timeout=TIMEOUT_S)
        except DomainError as error:
            log.info("a hand-off is shown without names", why=error.reason)
            return {}
        return {f"{_USERS}{it}": name for it, name in found.display_names.items()}


def first_line(text: str) -> str:
    """The first line that has something in it, as much of it as a row shows."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line), "")[:MOST_OF_LINE]
