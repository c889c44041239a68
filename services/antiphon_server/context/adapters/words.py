"""What other services keep of what was said, erased through them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.dispatcher.v1 import dispatcher_service_pb2
from antiphon.events.v1 import event_service_pb2
from antiphon.integration.v1 import tool_service_pb2
from antiphon.memory.v1 import forgetting_service_pb2
from antiphon_server.context.model.changes import conversation_scope
from antiphon_server.context.model.erasures import Erasure, Redacted
from antiphon_server.context.model.messages import MessageId
from antiphon_server.context.model.resources import ConversationId
from antiphon_server.runtime.encoding.titles import Beginning
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # they exist for the type checker alone
    from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceAsyncStub
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub
    from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceAsyncStub
    from antiphon.memory.v1.forgetting_service_pb2_grpc import ForgettingServiceAsyncStub

TIMEOUT_S = 30.0


class WordsElsewhere:
    """An :class:`~antiphon_server.context.ports.ErasesWords` through the other services."""

    def __init__(
        self,
        events: "EventServiceAsyncStub",
        dispatcher: "DispatcherServiceAsyncStub",
        tools: "ToolServiceAsyncStub",
        memory: "ForgettingServiceAsyncStub",
    ) -> None:
        self._events = events
        self._dispatcher = dispatcher
        self._tools = tools
        self._memory = memory

    async def redact(
        self,
        erasure: Erasure,
        beginnings: Sequence[Beginning] = (),
        *,
        validate_only: bool = False,
    ) -> Redacted:
        request = event_service_pb2.RedactRequest(
            scope=conversation_scope(erasure.conversation_id),
            turn_ids=erasure.turn_ids,
            actor=erasure.actor,
            request_id=f"erase:{erasure.erasure_id}",
            validate_only=validate_only,
        )
        for message_id, offset in erasure.messages.items():
            request.messages.add(message_id=message_id, offset=offset)
        for it in beginnings:
            request.beginnings.add(author=it.author, text=it.text)
        with remote_errors("events"):
            response = await self._events.Redact(request, timeout=TIMEOUT_S)
        message_ids = [MessageId(it) for it in response.message_ids]
        return Redacted(message_ids, list(response.turn_ids), list(response.tool_call_ids))

    async def erase(self, erasure: Erasure, redacted: Redacted) -> None:
        if redacted.turn_ids:
            await self._erase_turns(erasure.conversation_id, redacted)
            await self._erase_results(erasure.conversation_id, redacted)
        await self._forget_sources(erasure, redacted)

    async def _forget_sources(self, erasure: Erasure, redacted: Redacted) -> None:
        request = forgetting_service_pb2.ForgetSourcesRequest(
            conversation_id=erasure.conversation_id,
            message_ids=redacted.message_ids,
            turn_ids=redacted.turn_ids,
            actor=erasure.actor,
        )
        with remote_errors("memory"):
            await self._memory.ForgetSources(request, timeout=TIMEOUT_S)

    async def _erase_turns(self, conversation_id: ConversationId, redacted: Redacted) -> None:
        request = dispatcher_service_pb2.EraseTurnsRequest(
            conversation_id=conversation_id, turn_ids=redacted.turn_ids
        )
        with remote_errors("dispatcher"):
            await self._dispatcher.EraseTurns(request, timeout=TIMEOUT_S)

    async def _erase_results(self, conversation_id: ConversationId, redacted: Redacted) -> None:
        request = tool_service_pb2.EraseToolResultsRequest(
            conversation_id=conversation_id,
            tool_call_ids=redacted.tool_call_ids,
            turn_ids=redacted.turn_ids,
        )
        with remote_errors("integration"):
            await self._tools.EraseToolResults(request, timeout=TIMEOUT_S)
