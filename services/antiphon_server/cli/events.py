"""Events as lines of text and of JSON."""

from collections.abc import Sequence
from typing import Any

from antiphon.events.v1.event_pb2 import (
    Event,
    EventKind,
    ToolCallOutcome,
    TurnState,
    WebhookDisabledReason,
)
from antiphon.events.v1.handoff_pb2 import HandoffEnd
from antiphon.integration.v1.tool_pb2 import ToolAnswerAction
from antiphon_client import text_of
from antiphon_server.cli.console import in_a_line
from antiphon_server.cli.encoding import as_dict, local_time
from antiphon_server.cli.kinds import name_of, named
from antiphon_server.cli.routes.words import why

_PREFIX = "EVENT_KIND_"


def kinds_named(names: str) -> Sequence[EventKind.ValueType]:
    """Kinds by their names, separated by commas. Raises CommandError for unknown ones."""
    return named(EventKind.items(), _PREFIX, names)


def event_json(event: Event, cursor: str) -> dict[str, Any]:
    """An event as JSON, with the cursor behind it."""
    found = as_dict(event)
    found["kind"] = event.WhichOneof("payload") or ""
    found["cursor"] = cursor
    return found


def event_line(event: Event) -> str:
    """An event as one line: place, time, who, what."""
    place = f"#{event.last_offset}"
    if event.last_offset > event.first_offset:
        place = f"#{event.first_offset}-{event.last_offset}"
    kind = event.WhichOneof("payload") or "unknown"
    time = local_time(event.time, "%H:%M:%S")
    return in_a_line(f"{place:<8} {time}  {kind:<21} {event.actor}  {_detail(event)}").rstrip()


def _detail(event: Event) -> str:
    match event.WhichOneof("payload"):
        case "messages_erased":
            erased = event.messages_erased
            return " ".join(erased.message_ids) or f"the title of {erased.conversation_id}"
        case _ if event.erased:
            return "erased"
        case "message_posted":
            return _short(text_of(event.message_posted.message.parts))
        case "text_delta_appended":
            return _short(event.text_delta_appended.text)
        case "turn_accepted":
            return _accepted(event)
        case "turn_assigned":
            it = event.turn_assigned
            worker = " ".join(filter(None, (it.deployment, it.version)))
            return f"{event.turn_id} to {it.worker_id} ({worker})"
        case "turn_notified":
            told = event.turn_notified
            how = name_of(TurnState, "TURN_STATE_", told.state)
            how = f"waits for {told.tool_call_id}" if told.tool_call_id else how
            if told.handoff_id:
                end = name_of(HandoffEnd, "HANDOFF_END_", told.handoff_end)
                how = f"{told.handoff_id} {end if told.handoff_end else 'waits for people'}"
            return f"{told.conversation_id} {told.turn_id} {how}"
        case "webhook_disabled":
            gone = event.webhook_disabled
            why = name_of(WebhookDisabledReason, "WEBHOOK_DISABLED_REASON_", gone.reason)
            return f"{gone.webhook_id} {why}"
        case "webhook_overflowed":
            full = event.webhook_overflowed
            return f"{full.webhook_id} keeps no more: {full.waiting} deliveries wait"
        case "whiteboard_changed":
            noted = event.whiteboard_changed
            what = "deleted" if noted.deleted else f"{noted.size_bytes} bytes"
            kept = "kept" if noted.kept else "not kept"
            return f"{noted.section}, {what}" if noted.section else kept
        case "turn_progressed":
            return event.turn_progressed.status
        case "tool_call_proposed":
            proposed = event.tool_call_proposed
            asks = ", which a member has to approve" if proposed.asks else ""
            return f"{proposed.tool} {_short(proposed.arguments_json)}{asks}"
        case "tool_call_decided":
            decided = event.tool_call_decided
            return f"{'approved' if decided.approved else 'denied'} {decided.reason}".strip()
        case "tool_call_question_asked":
            question = event.tool_call_question_asked.question
            return f"{_short(question.message)} {question.url}".strip()
        case "tool_call_question_answered":
            answer = event.tool_call_question_answered.answer
            action = name_of(ToolAnswerAction, "TOOL_ANSWER_ACTION_", answer.action)
            return f"{action} {_short(answer.content_json) if answer.content_json else ''}".strip()
        case "tool_call_finished":
            finished = event.tool_call_finished
            outcome = name_of(ToolCallOutcome, "TOOL_CALL_OUTCOME_", finished.outcome)
            return f"{outcome} {_short(text_of(finished.result))} {finished.error.message}".strip()
        case "turn_finished":
            state = name_of(TurnState, "TURN_STATE_", event.turn_finished.state)
            return f"{state} {event.turn_finished.error.message}".strip()
        case "schedule_skipped":
            skipped = event.schedule_skipped
            newest = local_time(skipped.due_time)
            return (
                f"{skipped.schedule_id} missed {skipped.skipped} due times, the newest at {newest}"
            )
        case "schedule_failed":
            failed = event.schedule_failed
            paused = ", and is paused" if failed.paused else ""
            due = local_time(failed.due_time)
            return f"{failed.schedule_id} could not start at {due}: {failed.error}{paused}"
        case "turn_handed_off":
            handoff = event.turn_handed_off.handoff
            why = f": {_short(handoff.reason)}" if handoff.reason else ""
            until = local_time(handoff.expire_time)
            return f"{handoff.handoff_id} waits for people until {until}{why}"
        case "handoff_claim_changed":
            claim = event.handoff_claim_changed
            return f"{claim.handoff_id}: {claim.claimed_by or 'nobody'} is at it"
        case "handoff_ended":
            ended = event.handoff_ended
            how = name_of(HandoffEnd, "HANDOFF_END_", ended.end)
            then = f", {ended.handler} goes on" if ended.handler else ""
            note = f": {_short(ended.note)}" if ended.note else ""
            return f"{ended.handoff_id} {how}{then}{note}"
        case "budget_warned":
            return event.budget_warned.budget.name
        case "budget_overrun":
            return event.budget_overrun.budget.name
    return event.turn_id


def _accepted(event: Event) -> str:
    it = event.turn_accepted
    whose = f" for {it.parent_turn_id}" if it.parent_turn_id else ""
    because = f": {why(it.route, past=True)}" if it.HasField("route") else ""
    return f"{event.turn_id}{whose} goes to {it.handler}{because}"


def _short(text: str, most: int = 100) -> str:
    line = repr(text)
    return line if len(line) <= most else line[: most - 2] + "…'"
