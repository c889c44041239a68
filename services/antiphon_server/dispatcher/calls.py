"""The calls about turns: their messages in, their answers out, wherever a turn is worked on."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.integration.v1 import tool_pb2
from antiphon_server.dispatcher.answers import Answers
from antiphon_server.dispatcher.decisions import Decisions
from antiphon_server.dispatcher.encoding import (
    digest_of,
    order_of,
    turn_message,
)
from antiphon_server.dispatcher.fronts import Front, Saying
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    ConversationId,
    QuestionAnswered,
    QuestionId,
    ToolCallDecided,
    ToolCallId,
    TurnId,
)
from antiphon_server.dispatcher.turns import Turns
from antiphon_server.runtime.access.principal import Principal, current_principal
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Metadata = tuple[tuple[str, str | bytes], ...]
MOST_REASON = 1000
"""So long a decision's reason may be."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the metadata that says so; ``is_there`` to be asked, but for schedules."""

    principal: Principal
    metadata: Metadata
    is_there: bool = True

    @classmethod
    def of(cls, context: Context) -> "Caller":
        """The caller of the RPC that runs in this task."""
        return cls(current_principal(), tuple(context.invocation_metadata() or ()))


class TurnCalls(Protocol):
    """Answers calls about turns as the contract says. Each raises DomainError."""

    async def dispatch(self, request: pb.DispatchRequest, caller: Caller) -> pb.DispatchResponse:
        """See the contract's Dispatch."""
        ...

    async def get(self, request: pb.GetTurnRequest, caller: Caller) -> pb.GetTurnResponse:
        """See the contract's GetTurn."""
        ...

    async def list(self, request: pb.ListTurnsRequest, caller: Caller) -> pb.ListTurnsResponse:
        """See the contract's ListTurns."""
        ...

    async def cancel(self, request: pb.CancelTurnRequest, caller: Caller) -> pb.CancelTurnResponse:
        """See the contract's CancelTurn."""
        ...

    async def decide(
        self, request: pb.DecideToolCallRequest, caller: Caller
    ) -> pb.DecideToolCallResponse:
        """See the contract's DecideToolCall."""
        ...

    async def answer(
        self, request: pb.AnswerToolCallRequest, caller: Caller
    ) -> pb.AnswerToolCallResponse:
        """See the contract's AnswerToolCall."""
        ...


class Openings(Protocol):
    """Makes conversations for what is to be posted in them."""

    async def opened(self, request: pb.DispatchRequest, caller: Caller) -> pb.DispatchRequest:
        """The request, with the conversation that is there now; one just made lets it post.

        Raises DomainError as CreateConversation does, and INVALID_ARGUMENT.
        """
        ...


class CallsHere:
    """:class:`TurnCalls` about turns that this process works on."""

    def __init__(
        self,
        turns: Turns,
        decisions: Decisions,
        answers: Answers,
        front: Front,
    ) -> None:
        self._front = front
        self._turns = turns
        self._decisions = decisions
        self._answers = answers

    async def dispatch(self, request: pb.DispatchRequest, caller: Caller) -> pb.DispatchResponse:
        """See :meth:`TurnCalls.dispatch`."""
        turn = await self._turns.dispatch(
            caller.principal,
            ConversationId(request.conversation_id),
            TurnId(request.turn_id or new_id("turn")),
            order_of(request),
            digest_of(request),
            attended=caller.is_there,
        )
        return pb.DispatchResponse(turn=turn_message(turn), cursor=turn.cursor)

    async def get(self, request: pb.GetTurnRequest, caller: Caller) -> pb.GetTurnResponse:
        """See :meth:`TurnCalls.get`."""
        turn = await self._turns.get(
            ConversationId(request.conversation_id), TurnId(request.turn_id)
        )
        return pb.GetTurnResponse(turn=turn_message(turn))

    async def list(self, request: pb.ListTurnsRequest, caller: Caller) -> pb.ListTurnsResponse:
        """See :meth:`TurnCalls.list`."""
        listed = f"turns of {request.conversation_id}"
        position = decode_page_token(request.page_token, listed, fields=2)
        before = (number(position[0]), position[1]) if position else None
        limit = page_limit(request.page_size)
        turns = await self._turns.list(ConversationId(request.conversation_id), before, limit + 1)
        page, more = turns[:limit], turns[limit:]
        last = page[-1] if more else None
        token = encode_page_token(listed, str(last.created_us), last.turn_id) if last else ""
        return pb.ListTurnsResponse(
            turns=[turn_message(turn) for turn in page], next_page_token=token
        )

    async def cancel(self, request: pb.CancelTurnRequest, caller: Caller) -> pb.CancelTurnResponse:
        """See :meth:`TurnCalls.cancel`."""
        turn = await self._turns.cancel(
            ConversationId(request.conversation_id),
            TurnId(request.turn_id),
            caller.principal.actor,
        )
        return pb.CancelTurnResponse(turn=turn_message(turn))

    async def decide(
        self, request: pb.DecideToolCallRequest, caller: Caller
    ) -> pb.DecideToolCallResponse:
        """See :meth:`TurnCalls.decide`."""
        where = ConversationId(request.conversation_id), TurnId(request.turn_id)
        call_id, digest = ToolCallId(request.tool_call_id), request.arguments_sha256
        decided = await self._decisions.first(*where, call_id, digest)
        if decided is None:
            actor = caller.principal.actor
            saying = Saying(request.conversation_id, actor, TurnId(request.turn_id))
            reason = await self._front.left(saying, request.reason, MOST_REASON)
            wish = ToolCallDecided(call_id, request.approve, actor, reason)
            decided = await self._decisions.decide(*where, wish, digest)
        return pb.DecideToolCallResponse(approved=decided.approved, decided_by=decided.actor)

    async def answer(
        self, request: pb.AnswerToolCallRequest, caller: Caller
    ) -> pb.AnswerToolCallResponse:
        """See :meth:`TurnCalls.answer`."""
        where = ConversationId(request.conversation_id), TurnId(request.turn_id)
        action, actor = AnswerAction(request.action), caller.principal.actor
        said = Answer(QuestionId(request.question_id), action, request.content_json)
        wish = QuestionAnswered(ToolCallId(request.tool_call_id), said, actor)
        answered = await self._answers.first(*where, wish, request.question_sha256)
        if answered is None:
            saying = Saying(request.conversation_id, actor, TurnId(request.turn_id))
            content = await self._front.left_json(saying, request.content_json)
            wish = replace(wish, answer=replace(said, content=content))
            answered = await self._answers.answer(*where, wish, request.question_sha256)
        first = tool_pb2.ToolAnswerAction.ValueType(answered.answer.action)
        return pb.AnswerToolCallResponse(action=first, answered_by=answered.actor)
