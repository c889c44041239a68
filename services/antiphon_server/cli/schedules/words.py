"""Schedules and what became of them, as people read them."""

from collections.abc import Iterator
from datetime import tzinfo
from zoneinfo import ZoneInfo

from antiphon.dispatcher.v1.schedule_pb2 import (
    RUN_OUTCOME_FAILED,
    RUN_OUTCOME_SKIPPED,
    MissedPolicy,
    RunOutcome,
    Schedule,
    ScheduleRun,
)
from antiphon_client import text_of
from antiphon_server.cli.console import shortened
from antiphon_server.cli.kinds import name_of
from antiphon_server.cli.schedules.times import shown

LISTED = ("schedule", "next", "when", "says", "last", "conversation")
RUNS = ("due", "what came", "turn", "conversation")
_SAYS = 40
_WHY = {
    "USER_DISABLED": "the account of whoever made it is disabled",
    "NOT_FOUND": "whoever made it has no access there any more",
    "PERMISSION_DENIED": "whoever made it may not post there any more",
    "CONVERSATION_ARCHIVED": "the conversation is archived",
    "CONVERSATION_ERASED": "the conversation was erased",
    "HANDLER_NOT_FOUND": "nobody serves its handler",
    "MODEL_NOT_FOUND": "there is no such model",
}
_MISSED = {
    "skip": "left out",
    "one": "the newest is made up for",
    "all": "made up for, 100 at most",
}


def zone_of(schedule: Schedule) -> tzinfo | None:
    """Where it is due; None, for this machine, where it says one time."""
    if not schedule.HasField("cron"):
        return None
    try:
        return ZoneInfo(schedule.cron.time_zone or "UTC")
    except (ValueError, OSError, KeyError):  # a zone that only the server knows
        return ZoneInfo("UTC")


def row_of(it: Schedule) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`LISTED` say."""
    says = shortened(text_of(it.parts), _SAYS)
    return it.schedule_id, next_of(it), when(it), says, last(it), it.conversation_id


def next_of(it: Schedule) -> str:
    """When it is due next, or why never."""
    if it.paused:
        return "paused"
    return shown(it.next_time, zone_of(it)) or "never again"


def when(it: Schedule) -> str:
    """What it says of when it is due."""
    if it.HasField("cron"):
        return f"{it.cron.expression} ({it.cron.time_zone or 'UTC'})"
    return f"once, {shown(it.at, None)}"


def last(it: Schedule) -> str:
    """What became of the newest due time."""
    if it.last_error:
        return f"failed: {it.last_error}"
    return "started" if it.last_turn_id else "" if not it.HasField("last_time") else "left out"


def told(it: Schedule, by: str) -> Iterator[tuple[str, str]]:
    """What there is to say of one, as names and values; ``by`` is who made it."""
    yield "schedule", it.schedule_id
    yield "says", text_of(it.parts)
    yield "where", _where(it)
    if it.handler:
        yield "to", it.handler
    yield "when", when(it)
    missed = name_of(MissedPolicy, "MISSED_POLICY_", it.missed)
    yield "missed", f"{missed} ({_MISSED.get(missed, '?')})"
    yield "by", by
    times = [shown(time, zone_of(it)) for time in it.coming_times]
    for number, time in enumerate(times or [next_of(it)]):
        yield "" if number else "next", time
    if it.last_error:
        yield "failed", why(it.last_error)
    if it.last_turn_id:
        yield "last turn", f"{it.last_turn_id} in {it.last_conversation_id}"


def run_row(it: ScheduleRun, zone: tzinfo | None) -> tuple[str, ...]:
    """A row of the table; its cells are as :data:`RUNS` say."""
    return shown(it.due_time, zone), outcome(it), it.turn_id, it.conversation_id


def outcome(it: ScheduleRun) -> str:
    """What became of a due time."""
    match it.outcome:
        case result if result == RUN_OUTCOME_FAILED:
            return f"failed: {why(it.error)}"
        case result if result == RUN_OUTCOME_SKIPPED:
            others = f", with {it.skipped - 1} before it" if it.skipped > 1 else ""
            return f"left out, as it was missed{others}"
    return name_of(RunOutcome, "RUN_OUTCOME_", it.outcome)


def why(error: str) -> str:
    """Why a turn was refused, with the name by which the contract knows it."""
    return f"{_WHY[error]} ({error})" if error in _WHY else error


def _where(it: Schedule) -> str:
    if not it.HasField("new_conversation"):
        return it.conversation_id
    title = it.new_conversation.title
    named = f", called “{title}”" if title else ""
    return f"a new conversation each time{named} (kept at {it.conversation_id})"
