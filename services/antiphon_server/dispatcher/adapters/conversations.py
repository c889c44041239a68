"""Conversations, through the service that owns them."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from antiphon.context.v1 import (
    context_service_pb2,
    filter_pb2,
    filter_service_pb2,
)
from antiphon.context.v1.message_pb2 import Part
from antiphon.events.v1 import event_pb2
from antiphon_server.dispatcher.model import ConversationId, ConversationView, Policy, TurnId
from antiphon_server.dispatcher.ports import Left, Words
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.encoding.fingerprints import fingerprint
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.rpc.times import timestamp

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.context.v1.filter_service_pb2_grpc import FilterServiceAsyncStub

TIMEOUT_S = 30.0
SCREENED_WITHIN_S = 120.0
"""Each of many filters may take 30 s."""
WATCHED_S = 3600.0
"""So long after detectors watched some conversation fingerprints are made of what is said in any:
who repeats may do so in a new one each time."""


class ContextConversations:
    """See :class:`~antiphon_server.dispatcher.ports.Conversations`."""

    def __init__(
        self, context: "ContextServiceAsyncStub", filters: "FilterServiceAsyncStub"
    ) -> None:
        self._context, self._filters = context, filters
        self._watched_until = 0.0

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        request = context_service_pb2.GetConversationRequest(conversation_id=conversation_id)
        return _view(await self._get(request))

    async def heard(
        self, conversation_id: ConversationId, principal: Principal, content: bytes
    ) -> ConversationView:
        """See :meth:`FilteredConversations.heard`.

        Fingerprints are made where detectors have stood lately.
        """
        if principal.kind != "user":
            return await self.get(conversation_id)
        speaking = context_service_pb2.Speaking(
            author=principal.actor, session_id=principal.session_id, size_bytes=len(content)
        )
        if time.monotonic() < self._watched_until:
            speaking.fingerprint = fingerprint(_texts(content))
        request = context_service_pb2.GetConversationRequest(
            conversation_id=conversation_id, speaking=speaking
        )
        response = await self._get(request)
        if response.watched:
            self._watched_until = time.monotonic() + WATCHED_S
        return _view(response)

    async def _get(
        self, request: context_service_pb2.GetConversationRequest
    ) -> context_service_pb2.GetConversationResponse:
        with remote_errors("context"):
            return await self._context.GetConversation(request, timeout=TIMEOUT_S)

    async def screened(
        self,
        view: ConversationView,
        author: str,
        turn_id: TurnId,
        content: bytes,
        *,
        holds: bool = False,
    ) -> Left:
        """See :meth:`FilteredConversations.screened`."""
        posted = event_pb2.MessagePosted.FromString(content)
        message = posted.message
        request = _asked(view, author, turn_id)
        request.parts.extend(message.parts)
        request.metadata.update(message.metadata)
        request.type = message.type
        request.holds = holds
        left = await self._screen(request)
        if not left.parts and not left.metadata:
            return Left(content, left.held_for)
        message.ClearField("parts")
        message.parts.extend(left.parts)
        message.metadata.clear()
        message.metadata.update(left.metadata)
        return Left(posted.SerializeToString(deterministic=True), left.held_for)

    async def screened_words(
        self, view: ConversationView, author: str, turn_id: TurnId, words: Words
    ) -> Sequence[str]:
        """See :meth:`FilteredConversations.screened_words`."""
        request = _asked(view, author, turn_id)
        request.parts.extend(Part(text=said) for said, _ in words)
        request.most_bytes.extend(most for _, most in words)
        left = await self._screen(request)
        sanitised = left.action == filter_pb2.FILTER_ACTION_SANITISE
        return [it.text for it in (left if sanitised else request).parts]

    async def _screen(
        self, request: filter_service_pb2.ScreenRequest
    ) -> filter_service_pb2.ScreenResponse:
        with remote_errors("context"):
            return await self._filters.Screen(request, timeout=SCREENED_WITHIN_S)

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


def _texts(content: bytes) -> list[str]:
    return [part.text for part in event_pb2.MessagePosted.FromString(content).message.parts]


def _asked(
    view: ConversationView, author: str, turn_id: TurnId
) -> filter_service_pb2.ScreenRequest:
    return filter_service_pb2.ScreenRequest(
        workspace_id=view.workspace_id,
        conversation_id=view.conversation_id,
        stage=filter_pb2.FILTER_STAGE_MESSAGE,
        author=author,
        turn_id=turn_id,
    )


def _view(response: context_service_pb2.GetConversationResponse) -> ConversationView:
    conversation = response.conversation
    return ConversationView(
        ConversationId(conversation.conversation_id),
        conversation.workspace_id,
        archived=conversation.HasField("archive_time"),
        policy=Policy(conversation.turn_policy),
        models=tuple(conversation.models),
        max_output_tokens=conversation.max_output_tokens,
        labels=dict(conversation.labels),
        language=conversation.language,
        filtered=response.filtered,
        erased=response.erased,
        throttled_s=response.throttled.ToNanoseconds() / 1e9,
    )
