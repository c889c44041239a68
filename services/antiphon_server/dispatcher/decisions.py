"""People decide about calls of tools that wait for it."""

from antiphon_server.dispatcher.lane import ActiveTurn, Lanes
from antiphon_server.dispatcher.model import (
    ConversationId,
    PastCall,
    ToolCallDecided,
    ToolCallId,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.ports import Journal, TurnStore
from antiphon_server.dispatcher.tool_calls import ToolCalls
from antiphon_server.runtime.errors import DomainError, Reason, not_found


class Decisions:
    """Writes a decision into the log; the first one about a call counts."""

    def __init__(self, store: TurnStore, journal: Journal, lanes: Lanes) -> None:
        self._store = store
        self._journal = journal
        self._lanes = lanes

    async def first(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        call_id: ToolCallId,
        digest: bytes,
    ) -> ToolCallDecided | None:
        """The first decision about a call; None if it waits for one. Raises as :meth:`decide`."""
        active = self._lanes.find(conversation_id, turn_id)
        if active is None:
            calls = await stored_calls(self._store, self._journal, conversation_id, turn_id)
            return _decided(calls, call_id, digest)
        return _waiting(active, call_id, digest).decided

    async def decide(
        self,
        conversation_id: ConversationId,
        turn_id: TurnId,
        wish: ToolCallDecided,
        digest: bytes,
    ) -> ToolCallDecided:
        """Approve or deny a call; returns the first decision about it, perhaps another's.

        Raises DomainError NOT_FOUND, TOOL_CALL_CHANGED if ``digest`` is not the call's,
        TOOL_CALL_ENDED if it waits no more and nobody had decided, DRAINING.
        """
        active = self._lanes.find(conversation_id, turn_id)
        if active is None:
            calls = await stored_calls(self._store, self._journal, conversation_id, turn_id)
            return _decided(calls, wish.call_id, digest)
        async with active.calls.deciding:
            known = _waiting(active, wish.call_id, digest)
            if known.decided is not None:
                return known.decided
            decided = await self._written(active, wish)
            active.calls.note(decided)
        return decided

    async def _written(self, active: ActiveTurn, wish: ToolCallDecided) -> ToolCallDecided:
        """Commit the decision; one of a call before whose answer was lost stands."""
        try:
            request_id = f"{wish.call_id}:decided"
            await self._journal.write(active.turn, [wish], request_id=request_id)
        except DomainError as error:
            if error.reason is Reason.FENCED:  # another server has the turn by now
                raise DomainError(Reason.DRAINING, retry_after=0.25) from error
            if error.reason is not Reason.REQUEST_ID_REUSED:
                raise
            past = await self._journal.past(active.turn, active.turn.cursor)
            return _decided(ToolCalls(past.calls), wish.call_id, wish_digest(active, wish))
        return wish


async def stored_calls(
    store: TurnStore, journal: Journal, conversation_id: ConversationId, turn_id: TurnId
) -> ToolCalls:
    """The calls of a turn that is not in hand. Raises DomainError NOT_FOUND."""
    turn = await store.get(conversation_id, turn_id)
    if not isinstance(turn, Turn):
        raise not_found(turn_id)
    return ToolCalls((await journal.past(turn, turn.cursor)).calls)


def wish_digest(active: ActiveTurn, wish: ToolCallDecided) -> bytes:
    """The digest of the call that the wish is about, which was checked before."""
    known = active.calls.find(wish.call_id)
    return known.call.digest if known else b""


def _waiting(active: ActiveTurn, call_id: ToolCallId, digest: bytes) -> PastCall:
    """A call that is decided or waits for it. Raises DomainError TOOL_CALL_ENDED."""
    known = _checked(active.calls, call_id, digest)
    if known.decided is None and (active.calls.closed or not _waits(known)):
        raise DomainError(Reason.TOOL_CALL_ENDED, tool_call_id=call_id)
    return known


def _checked(calls: ToolCalls, call_id: ToolCallId, digest: bytes) -> PastCall:
    known = calls.find(call_id)
    if known is None:
        raise not_found(call_id)
    if known.call.digest != digest:
        raise DomainError(Reason.TOOL_CALL_CHANGED, tool_call_id=call_id)
    return known


def _decided(calls: ToolCalls, call_id: ToolCallId, digest: bytes) -> ToolCallDecided:
    decided = _checked(calls, call_id, digest).decided
    if decided is None:
        raise DomainError(Reason.TOOL_CALL_ENDED, tool_call_id=call_id)
    return decided


def _waits(call: PastCall) -> bool:
    return call.asks and not call.started and call.finished is None
