"""Taking away what was asked with turns, in a SQL database."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, delete, select, update

from antiphon_server.dispatcher.adapters.row import outcome_without_words
from antiphon_server.dispatcher.adapters.tables import handoffs, turns
from antiphon_server.dispatcher.model import ConversationId, State, TurnId
from antiphon_server.runtime.errors import DomainError, Reason

_THOSE = (
    turns.c.conversation_id == bindparam("b_conversation"),
    turns.c.turn_id.in_(bindparam("b_turns", expanding=True)),
    turns.c.state >= State.SUCCEEDED,
)
_RUNNING = (
    select(turns.c.turn_id)
    .where(*_THOSE[:2], turns.c.state < State.SUCCEEDED)
    .order_by(turns.c.turn_id)
    .limit(1)
)
_OUTCOMES = select(turns.c.turn_id, turns.c.outcome_json).where(*_THOSE)
_ERASE = update(turns).where(*_THOSE).values(content=b"")
_SET_OUTCOME = (
    update(turns)
    .where(
        turns.c.conversation_id == bindparam("b_conversation"),
        turns.c.turn_id == bindparam("b_turn"),
    )
    .values(outcome_json=bindparam("b_outcome"))
)
_REMOVE = delete(handoffs).where(
    handoffs.c.conversation_id == bindparam("b_conversation"),
    handoffs.c.turn_id.in_(bindparam("b_turns", expanding=True)),
)


def erase(
    connection: Connection, conversation_id: ConversationId, turn_ids: Collection[TurnId]
) -> None:
    """See :meth:`TurnStore.erase`; a turn's end is in its log a moment before it is here."""
    if not turn_ids:
        return
    those = {"b_conversation": conversation_id, "b_turns": list(turn_ids)}
    if running := connection.execute(_RUNNING, those).scalar():
        raise DomainError(Reason.TURN_NOT_ENDED, turn_id=running)
    changed = [
        {"b_conversation": conversation_id, "b_turn": turn_id, "b_outcome": left}
        for turn_id, outcome in connection.execute(_OUTCOMES, those).all()
        if (left := outcome_without_words(bytes(outcome))) != bytes(outcome)
    ]
    connection.execute(_ERASE, those)
    if changed:
        connection.execute(_SET_OUTCOME, changed)
    connection.execute(_REMOVE, those)
