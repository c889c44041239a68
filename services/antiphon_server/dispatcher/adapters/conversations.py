"""Conversations, through the service that owns them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, conversation_pb2
from antiphon_server.dispatcher.model import ConversationId, ConversationView, Policy
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.rpc.times import timestamp

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 30.0


class ContextConversations:
    """See :class:`~antiphon_server.dispatcher.ports.Conversations`."""

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        request = context_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        with remote_errors("context"):
            response = await self._context.GetConversation(request, timeout=TIMEOUT_S)
        return _view(response.conversation)

    async def active(self, times: Mapping[ConversationId, int]) -> None:
        """Tell when something was last said in conversations, in microseconds since 1970."""
        request = context_service_pb2.RecordActivityRequest(
            activities=[
                context_service_pb2.Activity(conversation_id=it, time=timestamp(time_us))
                for it, time_us in times.items()
            ]
        )
        with remote_errors("context"):
            await self._context.RecordActivity(request, timeout=TIMEOUT_S)


def _view(conversation: conversation_pb2.Conversation) -> ConversationView:
    return ConversationView(
        ConversationId(conversation.conversation_id),
        conversation.workspace_id,
        archived=conversation.HasField("archive_time"),
        policy=Policy(conversation.turn_policy),
        models=tuple(conversation.models),
        max_output_tokens=conversation.max_output_tokens,
        labels=dict(conversation.labels),
        language=conversation.language,
    )
