"""Conversations and their messages."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.context.v1 import context_service_pb2 as messages
from antiphon.context.v1.context_service_pb2 import CONVERSATION_ORDER_UNSPECIFIED
from antiphon.context.v1.conversation_pb2 import (
    TURN_POLICY_UNSPECIFIED,
    Conversation,
    TurnPolicy,
)
from antiphon.context.v1.message_pb2 import Message, Part
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub


NOTHING: Mapping[str, str] = MappingProxyType({})


class Conversations:
    """The context service. Errors: AntiphonError, as each RPC's comment says."""

    _context: "ContextServiceAsyncStub"
    _caller: Caller

    async def create_conversation(
        self,
        title: str = "",
        *,
        conversation_id: str = "",
        workspace_id: str = "",
        models: Sequence[str] = (),
        instructions: str = "",
        policy: TurnPolicy.ValueType = TURN_POLICY_UNSPECIFIED,
        max_output_tokens: int = 0,
        tools: Sequence[str] = (),
        labels: Mapping[str, str] = NOTHING,
        language: str = "",
    ) -> Conversation:
        """Make a conversation that the caller owns; models may ask for ``tools`` in it.

        ``labels`` are what programs say of it, and ``language`` is its people's: `pt-BR`.
        """
        request = messages.CreateConversationRequest(
            conversation_id=conversation_id,
            workspace_id=workspace_id,
            title=title,
            turn_policy=policy,
            models=models,
            instructions=instructions,
            max_output_tokens=max_output_tokens,
            tools=tools,
            labels=labels,
            language=language,
        )
        return (await self._caller.call(self._context.CreateConversation, request)).conversation

    async def update_conversation(
        self,
        conversation_id: str,
        *,
        title: str | None = None,
        tools: Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        language: str | None = None,
    ) -> Conversation:
        """Change what is given of a conversation, and nothing else.

        ``tools`` are those that models may ask for: names, or `source.*`. They, and ``labels``,
        take the place of all that were there.
        """
        given: dict[str, Any] = {
            name: value
            for name, value in {
                "title": title,
                "tools": tools,
                "labels": labels,
                "language": language,
            }.items()
            if value is not None
        }
        request = messages.UpdateConversationRequest(
            conversation=Conversation(conversation_id=conversation_id, **given),
            update_mask=FieldMask(paths=given),
        )
        return (await self._caller.call(self._context.UpdateConversation, request)).conversation

    async def set_tools(self, conversation_id: str, tools: Sequence[str]) -> Conversation:
        """Say which tools models may ask for in a conversation: names, or `source.*`."""
        return await self.update_conversation(conversation_id, tools=tools)

    async def get_conversation(self, conversation_id: str) -> Conversation:
        """One conversation."""
        request = messages.GetConversationRequest(conversation_id=conversation_id)
        return (await self._caller.call(self._context.GetConversation, request)).conversation

    def list_conversations(
        self,
        workspace_id: str = "",
        *,
        show_archived: bool = False,
        only_archived: bool = False,
        order: messages.ConversationOrder.ValueType = CONVERSATION_ORDER_UNSPECIFIED,
        title_contains: str = "",
    ) -> AsyncGenerator[Conversation]:
        """Those that the caller may read, the newest first unless ``order`` says otherwise."""

        async def fetch(page_token: str) -> messages.ListConversationsResponse:
            request = messages.ListConversationsRequest(
                workspace_id=workspace_id,
                page_token=page_token,
                show_archived=show_archived,
                only_archived=only_archived,
                order=order,
                title_contains=title_contains,
            )
            return await self._caller.call(self._context.ListConversations, request)

        return pages(fetch, lambda page: page.conversations)

    async def archive_conversation(self, conversation_id: str) -> Conversation:
        """Take a conversation out of use."""
        request = messages.ArchiveConversationRequest(conversation_id=conversation_id)
        return (await self._caller.call(self._context.ArchiveConversation, request)).conversation

    async def unarchive_conversation(self, conversation_id: str) -> Conversation:
        """Take an archived conversation into use again."""
        request = messages.UnarchiveConversationRequest(conversation_id=conversation_id)
        return (await self._caller.call(self._context.UnarchiveConversation, request)).conversation

    def list_messages(self, conversation_id: str) -> AsyncGenerator[Message]:
        """A conversation's messages, the newest first."""

        async def fetch(page_token: str) -> messages.ListMessagesResponse:
            request = messages.ListMessagesRequest(
                conversation_id=conversation_id, page_token=page_token
            )
            return await self._caller.call(self._context.ListMessages, request)

        return pages(fetch, lambda page: page.messages)

    async def erase_messages(
        self, conversation_id: str, message_ids: Sequence[str], *, answers: bool = False
    ) -> Sequence[str]:
        """Take away what messages said, for good; with ``answers`` what was answered to them, too.

        Returns the ids of all that are erased. Repeated, it changes nothing.
        """
        request = messages.EraseMessagesRequest(
            conversation_id=conversation_id, message_ids=message_ids, answers=answers
        )
        return (await self._caller.call(self._context.EraseMessages, request)).message_ids

    async def get_context(
        self, conversation_id: str, *, max_tokens: int = 0, message_id: str = ""
    ) -> messages.GetContextResponse:
        """What a model should see: the newest messages that fit; 4096 tokens unless said.

        With the ``message_id`` of one to be answered, which is kept in any case.
        """
        request = messages.GetContextRequest(
            conversation_id=conversation_id, max_tokens=max_tokens, message_id=message_id
        )
        return await self._caller.call(self._context.GetContext, request)

    async def post_message(
        self,
        conversation_id: str,
        text: str,
        *,
        in_context: bool = False,
        type: str = "",
        metadata: Mapping[str, str] = NOTHING,
    ) -> Message:
        """Say something without starting a turn: an aside, unless models may read it later.

        ``type`` is what it is for programs, as `form.submitted`; ``metadata`` what they say of it.
        """
        request = messages.PostMessageRequest(
            conversation_id=conversation_id,
            parts=[Part(text=text)],
            in_context=in_context,
            type=type,
            metadata=metadata,
        )
        return (await self._caller.call(self._context.PostMessage, request)).message
