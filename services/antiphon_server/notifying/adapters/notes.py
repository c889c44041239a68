"""Turns that end or wait, as notes: ids that follow from them, and the contract's events."""

import hashlib
from typing import Any

from antiphon.auth.v1 import access_pb2
from antiphon.events.v1 import event_pb2, handoff_pb2
from antiphon_server.dispatcher.notifying_room import Handoff, PastHandoff, State, Turn
from antiphon_server.notifying.model import About, Kind, Note, Webhook
from antiphon_server.runtime.encoding.ids import new_id


def note_of_end(turn: Turn) -> Note:
    """That it has ended; the same whenever it is made of the same end."""
    outcome = turn.outcome
    error = outcome.error if outcome is not None else None
    said = _said(turn, Kind.TURN_ENDED, turn.state, "ended")
    said.error_reason = error.reason.value if error is not None else ""
    said.reply_message_id = turn.reply_id if turn.has_reply else ""
    return _note(turn.ended_us, said)


def note_of_wait(turn: Turn, call_id: str, question_id: str, now_us: int) -> Note:
    """That it waits for people to decide about a call, or to answer its question."""
    said = _said(turn, Kind.TURN_WAITING, State.RUNNING, f"waits {call_id} {question_id}")
    said.tool_call_id, said.question_id = call_id, question_id
    return _note(now_us, said)


def note_of_handoff(turn: Turn, handoff: Handoff, now_us: int) -> Note:
    """That it waits in the queue of people."""
    said = _said(turn, Kind.TURN_HANDED_OFF, State.RUNNING, f"handed off {handoff.handoff_id}")
    _name(said, handoff)
    return _note(now_us, said)


def note_of_handoff_end(turn: Turn, past: PastHandoff, now_us: int) -> Note:
    """That it waits there no more."""
    assert past.ended is not None, "it has ended"
    what = f"handed back {past.handoff.handoff_id}"
    said = _said(turn, Kind.HANDOFF_ENDED, State.RUNNING, what)
    _name(said, past.handoff)
    said.handoff_end = handoff_pb2.HandoffEnd.ValueType(past.ended.end)
    return _note(now_us, said)


def _name(said: event_pb2.TurnNotified, handoff: Handoff) -> None:
    said.handoff_id = handoff.handoff_id
    said.handoff_role = access_pb2.Role.ValueType(handoff.role)


def disabling_note(hook: Webhook, now_us: int) -> Note:
    """What its creator is told of a webhook that is told nothing any more."""
    said = event_pb2.WebhookDisabled(
        webhook_id=hook.webhook_id,
        workspace_id=hook.workspace_id,
        reason=event_pb2.WebhookDisabledReason.ValueType(hook.disabled),
    )
    return _of_hook(hook, now_us, event_pb2.Event(webhook_disabled=said))


def overflow_note(hook: Webhook, waiting: int, now_us: int) -> Note:
    """What its creator is told of a webhook for which too many wait."""
    said = event_pb2.WebhookOverflowed(
        webhook_id=hook.webhook_id, workspace_id=hook.workspace_id, waiting=waiting
    )
    return _of_hook(hook, now_us, event_pb2.Event(webhook_overflowed=said))


def _of_hook(hook: Webhook, now_us: int, event: event_pb2.Event) -> Note:
    event.actor = "services/dispatcher"
    return Note(new_id("ntf"), hook.creator, now_us, event.SerializeToString(), None)


def is_told(turn: Turn) -> bool:
    """Whether its end is anybody's: not where the turn that asked for it waits for it."""
    return turn.state.ended and turn.order.parent is None


def is_unseen(turn: Turn) -> bool:
    """Whether its creator may not know that it has ended: who stops a turn knows it."""
    return bool(turn.user_id) and not turn.seen and turn.state is not State.CANCELLED


def row_of(note: Note) -> dict[str, Any]:
    """Encode a note."""
    return {
        "notification_id": note.notification_id,
        "created_us": note.created_us,
        "creator": note.creator,
        "body": note.body,
    }


def note_of(row: Any) -> Note:
    """Decode one."""
    event = event_pb2.Event.FromString(row.body)
    return Note(row.notification_id, row.creator, row.created_us, row.body, about_of(event))


def about_of(event: event_pb2.Event) -> About | None:
    """What webhooks are chosen by."""
    if not event.HasField("turn_notified"):
        return None
    said = event.turn_notified
    kind = Kind(said.kind)
    return About(kind, said.state, said.handler, said.workspace_id, said.conversation_id)


def _said(turn: Turn, kind: Kind, state: State, what: str) -> event_pb2.TurnNotified:
    about = "\0".join((turn.conversation_id, turn.turn_id, what))
    return event_pb2.TurnNotified(
        notification_id="ntf_" + hashlib.sha256(about.encode()).hexdigest()[:32],
        kind=event_pb2.NotificationKind.ValueType(kind),
        workspace_id=turn.workspace_id,
        conversation_id=turn.conversation_id,
        turn_id=turn.turn_id,
        creator=turn.creator,
        handler=turn.order.handler,
        state=event_pb2.TurnState.ValueType(state),
    )


def _note(created_us: int, said: event_pb2.TurnNotified) -> Note:
    event = event_pb2.Event(actor=f"handlers/{said.handler}", turn_notified=said)
    body = event.SerializeToString(deterministic=True)
    return Note(said.notification_id, said.creator, created_us, body, about_of(event))
