"""What people have said to a turn, as it ends."""

from dataclasses import replace

from antiphon_server.dispatcher.handoff_model import HandoffEnd, HandoffEnded, PastHandoff
from antiphon_server.dispatcher.model import Outcome, ReplyPosted, State, Turn
from antiphon_server.dispatcher.turn_handoffs import TurnHandoffs
from antiphon_server.runtime.errors import DomainError, Reason


async def by_people(outcome: Outcome, handoffs: TurnHandoffs) -> Outcome:
    """How the turn ends: as its hand-off says if it ended the turn, else as it has ended.

    From here on nobody claims or ends it.
    """
    async with handoffs.deciding:
        handoffs.closed = True
    if handoffs.last is None or not handoffs.last.is_last:
        return outcome
    return _ended_by(outcome, handoffs.last)


def _ended_by(outcome: Outcome, past: PastHandoff) -> Outcome:
    assert past.ended is not None, "it has ended"
    by = _said_by(past, past.ended)
    if past.said:
        return replace(outcome, state=State.SUCCEEDED, error=None, answered_by=by)
    error = DomainError(Reason.HANDOFF_EXPIRED, handoff_id=past.handoff.handoff_id)
    if past.ended.end is not HandoffEnd.EXPIRED:
        error = DomainError(
            Reason.HANDOFF_DECLINED, handoff_id=past.handoff.handoff_id, why=past.ended.note
        )
    return replace(outcome, state=State.FAILED, error=error)


def answered(turn: Turn, handoffs: TurnHandoffs | None, *, behind: bool) -> ReplyPosted | None:
    """The answer that people gave, or that was said for them, behind what a handler has said."""
    past = handoffs.last if handoffs is not None else None
    if past is None or past.ended is None or not past.is_last or not past.said:
        return None
    by = _said_by(past, past.ended)
    message_id = turn.beside_id if behind else turn.reply_id
    return ReplyPosted(past.said, truncated=False, author=by, message_id=message_id)


def _said_by(past: PastHandoff, ended: HandoffEnded) -> str:
    """Which person's the answer is; "" of the handler's: what was declared is whose who did."""
    if ended.end is HandoffEnd.ANSWERED:
        return ended.actor
    asked_by = past.handoff.asked_by
    return asked_by if past.said and not asked_by.startswith("handlers/") else ""
