"""The calls about hand-offs: their messages in, their answers out."""

import hmac
from dataclasses import replace
from typing import Protocol, TypeAlias

from antiphon.dispatcher.v1 import handoff_service_pb2 as pb
from antiphon_server.dispatcher.calls import Caller
from antiphon_server.dispatcher.encoding import turn_message
from antiphon_server.dispatcher.fronts import Front, Saying
from antiphon_server.dispatcher.handoff_encoding import handoff_message, order_of
from antiphon_server.dispatcher.handoff_model import HandoffEnd, HandoffEnded, HandoffOrder
from antiphon_server.dispatcher.handoffs import Handoffs
from antiphon_server.dispatcher.model import ConversationId, TurnId

_Ending: TypeAlias = pb.AnswerHandoffRequest | pb.ReturnHandoffRequest | pb.DeclineHandoffRequest
MOST_NOTE, MOST_OTHERWISE, MOST_TEXT = 512, 64 * 1024, 256 * 1024
"""So long a reason or a note, what is said in time otherwise, and an answer may be."""


class HandoffCalls(Protocol):
    """Answers calls about hand-offs as the contract says. Each raises DomainError."""

    async def hand_off(
        self, request: pb.HandOffTurnRequest, caller: Caller
    ) -> pb.HandOffTurnResponse:
        """See the contract's HandOffTurn."""
        ...

    async def claim(
        self, request: pb.ClaimHandoffRequest, caller: Caller
    ) -> pb.ClaimHandoffResponse:
        """See the contract's ClaimHandoff."""
        ...

    async def release(
        self, request: pb.ReleaseHandoffRequest, caller: Caller
    ) -> pb.ReleaseHandoffResponse:
        """See the contract's ReleaseHandoff."""
        ...

    async def reply(
        self, request: pb.AnswerHandoffRequest, caller: Caller
    ) -> pb.AnswerHandoffResponse:
        """See the contract's AnswerHandoff."""
        ...

    async def give_back(
        self, request: pb.ReturnHandoffRequest, caller: Caller
    ) -> pb.ReturnHandoffResponse:
        """See the contract's ReturnHandoff."""
        ...

    async def decline(
        self, request: pb.DeclineHandoffRequest, caller: Caller
    ) -> pb.DeclineHandoffResponse:
        """See the contract's DeclineHandoff."""
        ...


class HandoffCallsHere:
    """:class:`HandoffCalls` about turns that this process works on.

    What is asked is known again by ``key``: the log has what filters left of it, and a digest
    without one would let who reads the log guess what they took away.
    """

    def __init__(self, handoffs: Handoffs, front: Front, key: bytes) -> None:
        self._handoffs, self._front, self._key = handoffs, front, key

    async def hand_off(
        self, request: pb.HandOffTurnRequest, caller: Caller
    ) -> pb.HandOffTurnResponse:
        """See :meth:`HandoffCalls.hand_off`."""
        order = order_of(request.order, caller.principal.actor)
        where = ConversationId(request.conversation_id), TurnId(request.turn_id)
        await self._handoffs.check_words(caller.principal, where[0], order)
        turn = await self._handoffs.handed_off(*where)
        if turn is None:
            turn = await self._handoffs.hand_off(*where, await self._left(order, request))
        return pb.HandOffTurnResponse(turn=turn_message(turn))

    async def _left(self, order: HandoffOrder, request: pb.HandOffTurnRequest) -> HandoffOrder:
        """What filters leave of its words."""
        saying = Saying(request.conversation_id, order.asked_by, TurnId(request.turn_id))
        reason = await self._front.left(saying, order.reason, MOST_NOTE)
        text = await self._front.left(saying, order.otherwise.text, MOST_OTHERWISE)
        return replace(order, reason=reason, otherwise=replace(order.otherwise, text=text))

    async def _checked(self, request: _Ending, text: str, caller: Caller, most: int) -> str:
        """What filters leave of a text with which who may end a hand-off ends it.

        Others are told nothing of what filters make of theirs, and it is noted nowhere, as of one
        that has ended.
        """
        where = ConversationId(request.conversation_id), request.handoff_id
        if not await self._handoffs.check(caller.principal, *where):
            return text
        saying = Saying(request.conversation_id, caller.principal.actor)
        return await self._front.left(saying, text, most)

    def _asked(self, handoff_id: str, said: str) -> bytes:
        """Of no other hand-off: who ends one could try words for what was said to another."""
        return hmac.digest(self._key, f"{handoff_id} {said}".encode(), "sha256")

    async def claim(
        self, request: pb.ClaimHandoffRequest, caller: Caller
    ) -> pb.ClaimHandoffResponse:
        """See :meth:`HandoffCalls.claim`."""
        where = ConversationId(request.conversation_id), request.handoff_id
        handoff = await self._handoffs.claim(caller.principal, *where, over=request.take_over)
        return pb.ClaimHandoffResponse(handoff=handoff_message(handoff))

    async def release(
        self, request: pb.ReleaseHandoffRequest, caller: Caller
    ) -> pb.ReleaseHandoffResponse:
        """See :meth:`HandoffCalls.release`."""
        where = ConversationId(request.conversation_id), request.handoff_id
        handoff = await self._handoffs.release(caller.principal, *where)
        return pb.ReleaseHandoffResponse(handoff=handoff_message(handoff))

    async def reply(
        self, request: pb.AnswerHandoffRequest, caller: Caller
    ) -> pb.AnswerHandoffResponse:
        """See :meth:`HandoffCalls.reply`."""
        where, actor = ConversationId(request.conversation_id), caller.principal.actor
        text = await self._checked(request, request.text, caller, MOST_TEXT)
        asked = self._asked(request.handoff_id, request.text)
        wish = HandoffEnded(request.handoff_id, HandoffEnd.ANSWERED, actor, asked=asked)
        turn = await self._handoffs.answer(caller.principal, where, wish, text)
        return pb.AnswerHandoffResponse(turn=turn_message(turn))

    async def give_back(
        self, request: pb.ReturnHandoffRequest, caller: Caller
    ) -> pb.ReturnHandoffResponse:
        """See :meth:`HandoffCalls.give_back`."""
        actor, handler = caller.principal.actor, request.handler
        note = await self._checked(request, request.note, caller, MOST_NOTE)
        told = note, self._asked(request.handoff_id, request.note)
        wish = HandoffEnded(request.handoff_id, HandoffEnd.RETURNED, actor, handler, *told)
        where = ConversationId(request.conversation_id)
        turn = await self._handoffs.give_back(caller.principal, where, wish)
        return pb.ReturnHandoffResponse(turn=turn_message(turn))

    async def decline(
        self, request: pb.DeclineHandoffRequest, caller: Caller
    ) -> pb.DeclineHandoffResponse:
        """See :meth:`HandoffCalls.decline`."""
        actor = caller.principal.actor
        note = await self._checked(request, request.note, caller, MOST_NOTE)
        told = note, self._asked(request.handoff_id, request.note)
        wish = HandoffEnded(request.handoff_id, HandoffEnd.DECLINED, actor, "", *told)
        where = ConversationId(request.conversation_id)
        turn = await self._handoffs.decline(caller.principal, where, wish)
        return pb.DeclineHandoffResponse(turn=turn_message(turn))
