"""Conversations that a post makes before it is posted, through the service that owns them."""

import uuid
from typing import TYPE_CHECKING

from antiphon.context.v1.context_service_pb2 import (
    CreateConversationForRequest,
    CreateConversationRequest,
)
from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest, NewConversation
from antiphon_server.dispatcher.admission import Admission
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.encoding import order_of
from antiphon_server.dispatcher.model import ConversationId, TurnId
from antiphon_server.dispatcher.ports import ChecksCreation, Gatekeeper
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub

TIMEOUT_S = 30.0
BROUGHT = frozenset({"authorization", "traceparent", "tracestate"})
_TURNS = uuid.UUID("5a7b0c4e-8a53-4c0f-9a0e-6f2f3b8f5d11")


class ContextOpenings:
    """:class:`Openings` with the credentials of whoever posts, by the rules of their own call.

    ``admission`` is asked before: what would not be taken on makes nothing.
    """

    def __init__(
        self,
        context: "ContextServiceAsyncStub",
        gatekeeper: Gatekeeper,
        admission: Admission,
    ) -> None:
        self._context = context
        self._gatekeeper = gatekeeper
        self._admission = admission

    async def opened(self, request: DispatchRequest, caller: Caller) -> DispatchRequest:
        """See :meth:`Openings.opened`."""
        if not request.HasField("new_conversation"):
            return request
        await self._admission.check_unopened(
            caller.principal.actor, TurnId(request.turn_id), order_of(request)
        )
        made = ConversationId(await self._made(request, caller))
        await self._gatekeeper.check_write(caller.principal, made)
        return _posted_in(made, request)

    async def _made(self, request: DispatchRequest, caller: Caller) -> str:
        """The conversation's id; one that the caller chose before is there already."""
        try:
            with remote_errors("context"):
                answer = await self._context.CreateConversation(
                    _creation(request.new_conversation, request.turn_id),
                    metadata=[pair for pair in caller.metadata if pair[0] in BROUGHT],
                    timeout=TIMEOUT_S,
                )
        except DomainError as error:
            if error.reason is Reason.ALREADY_EXISTS:
                return request.new_conversation.conversation_id
            if error.reason is Reason.REQUEST_ID_REUSED:
                raise DomainError(error.reason, request_id=request.turn_id) from error
            raise
        return answer.conversation.conversation_id


class OpeningsForAbsent:
    """Makes conversations in the names of those who are not there: the dispatcher asks whether they
    may, and its own word is taken.

    The id is chosen by whoever asks, so that it is made once, however often it is asked for.
    """

    def __init__(
        self,
        context: "ContextServiceAsyncStub",
        policy: ChecksCreation,
        admission: Admission,
    ) -> None:
        self._context, self._policy, self._admission = context, policy, admission

    async def opened(self, request: DispatchRequest, principal: Principal) -> DispatchRequest:
        """See :meth:`Openings.opened`."""
        if not request.HasField("new_conversation"):
            return request
        wish, turn_id = request.new_conversation, TurnId(request.turn_id)
        await self._admission.check_unopened(principal.actor, turn_id, order_of(request))
        await self._policy.check_create(principal, wish.workspace_id)
        creation = CreateConversationForRequest(
            user_id=principal.user_id, creation=_creation(wish, "")
        )
        try:
            with remote_errors("context"):
                await self._context.CreateConversationFor(creation, timeout=TIMEOUT_S)
        except DomainError as error:
            if error.reason is not Reason.ALREADY_EXISTS:
                raise
        return _posted_in(ConversationId(wish.conversation_id), request)


def _posted_in(conversation_id: ConversationId, request: DispatchRequest) -> DispatchRequest:
    opened = DispatchRequest()
    opened.CopyFrom(request)
    opened.ClearField("new_conversation")
    opened.conversation_id = conversation_id
    return opened


def _creation(wish: NewConversation, turn_id: str) -> CreateConversationRequest:
    """Repeated for the same turn, it is the same request."""
    return CreateConversationRequest(
        conversation_id=wish.conversation_id,
        workspace_id=wish.workspace_id,
        title=wish.title,
        turn_policy=wish.turn_policy,
        models=wish.models,
        instructions=wish.instructions,
        max_output_tokens=wish.max_output_tokens,
        tools=wish.tools,
        labels=wish.labels,
        language=wish.language,
        request_id=str(uuid.uuid5(_TURNS, turn_id)) if turn_id else "",
    )
