"""Conversations, through the service that owns them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from antiphon.context.v1 import context_service_pb2 as pb
from antiphon.context.v1 import message_pb2
from antiphon_server.memory.encoding.search import microseconds, said_of
from antiphon_server.memory.model import (
    ConversationId,
    KeptMessage,
    KeptMessages,
    MessageId,
    Newest,
    Place,
    Readable,
    Said,
    Window,
    WorkspaceId,
)
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 10.0
PAGE = 200


class ContextConversations:
    """A :class:`~antiphon_server.memory.ports.Conversations` through the ContextService."""

    def __init__(self, context: "ContextServiceAsyncStub") -> None:
        self._context = context

    async def readable(
        self,
        user_id: UserId,
        workspace_id: WorkspaceId,
        among: Sequence[ConversationId],
        limit: int,
    ) -> Readable:
        request = pb.ListReadableRequest(
            user_id=user_id, workspace_id=workspace_id, conversation_ids=among, limit=limit
        )
        with remote_errors("context"):
            found = await self._context.ListReadable(request, timeout=TIMEOUT_S)
        return Readable(
            [ConversationId(it) for it in found.conversation_ids],
            frozenset(ConversationId(it) for it in found.guest_conversation_ids),
            found.more,
            [WorkspaceId(it) for it in found.workspace_ids],
        )

    async def said_in(self, conversation_id: ConversationId) -> Sequence[Said]:
        request = pb.ListMessagesRequest(conversation_id=conversation_id, page_size=PAGE)
        said: list[Said] = []
        while True:
            with remote_errors("context"):
                page = await self._context.ListMessages(request, timeout=TIMEOUT_S)
            said += [said_of(it) for it in page.messages if not it.erased]
            if not page.next_page_token:
                return said[::-1]
            request.page_token = page.next_page_token

    async def window(
        self, conversation_id: ConversationId, max_tokens: int, answered: MessageId
    ) -> Window:
        request = pb.GetContextRequest(
            conversation_id=conversation_id, max_tokens=max_tokens, message_id=answered
        )
        with remote_errors("context"):
            found = await self._context.GetContext(request, timeout=TIMEOUT_S)
        first = found.messages[0] if found.messages else message_pb2.Message()
        newest = Newest(
            MessageId(first.message_id),
            microseconds(first.create_time),
            len(found.messages),
            found.estimated_tokens,
            found.omitted_messages,
            {it.author: it.display_name for it in found.speakers},
        )
        return Window(newest, found.SerializeToString())

    async def messages(self, places: Sequence[Place], *, in_context: bool = False) -> KeptMessages:
        names = [
            pb.MessageName(conversation_id=it.conversation_id, message_id=it.message_id)
            for it in places
        ]
        if not names:
            return KeptMessages({}, {})
        with remote_errors("context"):
            found = await self._context.GetMessages(
                pb.GetMessagesRequest(messages=names, in_context=in_context), timeout=TIMEOUT_S
            )
        kept = (
            KeptMessage(said_of(it), ConversationId(it.conversation_id), it.SerializeToString())
            for it in found.messages
            if not it.erased
        )
        return KeptMessages(
            {it.said.message_id: it for it in kept},
            {ConversationId(it): title for it, title in found.titles.items()},
        )
