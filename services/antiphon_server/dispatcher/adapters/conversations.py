"""Conversations, through the service that owns them."""

from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2, conversation_pb2
from antiphon_server.dispatcher.model import ConversationId, ConversationView, Policy
from antiphon_server.runtime.errors.wire import remote_errors

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


def _view(conversation: conversation_pb2.Conversation) -> ConversationView:
    return ConversationView(
        ConversationId(conversation.conversation_id),
        conversation.workspace_id,
        archived=conversation.HasField("archive_time"),
        policy=Policy(conversation.turn_policy),
        models=tuple(conversation.models),
        max_output_tokens=conversation.max_output_tokens,
    )
