"""Hand-offs: turns that wait for people, and what those do with them."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import TYPE_CHECKING

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER, Role
from antiphon.dispatcher.v1 import handoff_service_pb2 as messages
from antiphon.dispatcher.v1.handoff_pb2 import HandoffOrder, QueuedHandoff
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.handoff_pb2 import Handoff
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.handoff_service_pb2_grpc import HandoffServiceAsyncStub


class Handoffs:
    """What members who may answer for others do with turns that wait for people.

    Errors: AntiphonError, as each RPC's comment says.
    """

    _handoffs: "HandoffServiceAsyncStub"
    _caller: Caller

    async def hand_off_turn(
        self,
        conversation_id: str,
        turn_id: str,
        reason: str = "",
        *,
        role: Role.ValueType = ROLE_MEMBER,
        expire_after: timedelta | None = None,
        otherwise_text: str = "",
        otherwise_handler: str = "",
    ) -> Turn:
        """Stop the handler of a running turn: people go on with it, within a day if not said."""
        order = handoff_order(
            reason,
            role=role,
            expire_after=expire_after,
            otherwise_text=otherwise_text,
            otherwise_handler=otherwise_handler,
        )
        request = messages.HandOffTurnRequest(
            conversation_id=conversation_id, turn_id=turn_id, order=order
        )
        return (await self._caller.call(self._handoffs.HandOffTurn, request)).turn

    def list_handoffs(self, workspace_id: str) -> AsyncGenerator[QueuedHandoff]:
        """What waits for people in a workspace and the caller may take, the oldest first."""

        async def fetch(page_token: str) -> messages.ListHandoffsResponse:
            request = messages.ListHandoffsRequest(workspace_id=workspace_id, page_token=page_token)
            return await self._caller.call(self._handoffs.ListHandoffs, request)

        return pages(fetch, lambda page: page.handoffs)

    async def claim_handoff(
        self, conversation_id: str, handoff_id: str, *, take_over: bool = False
    ) -> Handoff:
        """Be at it; ``take_over``: in place of who is, as admins may."""
        request = messages.ClaimHandoffRequest(
            conversation_id=conversation_id, handoff_id=handoff_id, take_over=take_over
        )
        return (await self._caller.call(self._handoffs.ClaimHandoff, request)).handoff

    async def release_handoff(self, conversation_id: str, handoff_id: str) -> Handoff:
        """Give it back to the queue."""
        request = messages.ReleaseHandoffRequest(
            conversation_id=conversation_id, handoff_id=handoff_id
        )
        return (await self._caller.call(self._handoffs.ReleaseHandoff, request)).handoff

    async def answer_handoff(self, conversation_id: str, handoff_id: str, text: str) -> Turn:
        """Answer the turn in the caller's name; returns it as it ended."""
        request = messages.AnswerHandoffRequest(
            conversation_id=conversation_id, handoff_id=handoff_id, text=text
        )
        return (await self._caller.call(self._handoffs.AnswerHandoff, request)).turn

    async def return_handoff(
        self, conversation_id: str, handoff_id: str, handler: str = "", note: str = ""
    ) -> Turn:
        """Give the turn to a handler; without a name to who handed it off."""
        request = messages.ReturnHandoffRequest(
            conversation_id=conversation_id, handoff_id=handoff_id, handler=handler, note=note
        )
        return (await self._caller.call(self._handoffs.ReturnHandoff, request)).turn

    async def decline_handoff(self, conversation_id: str, handoff_id: str, note: str = "") -> Turn:
        """Have happen what would if it expired."""
        request = messages.DeclineHandoffRequest(
            conversation_id=conversation_id, handoff_id=handoff_id, note=note
        )
        return (await self._caller.call(self._handoffs.DeclineHandoff, request)).turn


def handoff_order(
    reason: str = "",
    *,
    role: Role.ValueType = ROLE_MEMBER,
    expire_after: timedelta | None = None,
    otherwise_text: str = "",
    otherwise_handler: str = "",
) -> HandoffOrder:
    """What is said of a hand-off; ``otherwise_…`` is what becomes of it if nobody goes on."""
    order = HandoffOrder(reason=reason, role=role)
    if expire_after is not None:
        order.expire_after.FromTimedelta(expire_after)
    if otherwise_handler:
        order.otherwise.handler = otherwise_handler
    elif otherwise_text:
        order.otherwise.text = otherwise_text
    return order
