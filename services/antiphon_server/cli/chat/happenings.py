"""What becomes of a conversation's schedules and hand-offs, in words."""

from antiphon.events.v1.event_pb2 import Event, ScheduleFailed, ScheduleSkipped
from antiphon.events.v1.handoff_pb2 import (
    HANDOFF_END_DECLINED,
    HANDOFF_END_EXPIRED,
    HANDOFF_END_RETURNED,
    Handoff,
    HandoffEnded,
)
from antiphon_server.cli.console import in_a_line, shortened
from antiphon_server.cli.encoding import local_time

OF_SCHEDULES = frozenset({"schedule_failed", "schedule_skipped"})
OF_TURNS = frozenset({"turn_handed_off", "handoff_claim_changed", "handoff_ended"})
_QUOTED = 80


def words_of(event: Event, who: str, question: str) -> str:
    """What has happened, in a line; "" if that says itself. ``who`` did it; "" is the user.

    ``question`` is what the turn answers, in a few words.
    """
    match event.WhichOneof("payload"):
        case "schedule_failed":
            return _failed(event.schedule_failed)
        case "schedule_skipped":
            return _skipped(event.schedule_skipped)
        case "turn_handed_off":
            return _waits(event.turn_handed_off.handoff, question)
        case "handoff_claim_changed":
            claimed = event.handoff_claim_changed.claimed_by
            at_it = f"{in_a_line(who)} is" if who else "you are"
            return f"{at_it if claimed else 'nobody is'} at {question}"
        case "handoff_ended":
            return _ended(event.handoff_ended, question)
        case _:
            return ""


def _failed(it: ScheduleFailed) -> str:
    due = f"the schedule {it.schedule_id} could not start what was due {_at(it)}: {it.error}"
    paused = f"it is paused; `antiphon schedules resume {it.schedule_id}` lets it go on"
    return in_a_line(f"{due}; {paused}" if it.paused else due)


def _skipped(it: ScheduleSkipped) -> str:
    times = "a due time" if it.skipped == 1 else f"{it.skipped} due times"
    return in_a_line(f"the schedule {it.schedule_id} has missed {times}, the newest {_at(it)}")


def _waits(it: Handoff, question: str) -> str:
    why = f": “{shortened(it.reason, _QUOTED)}”" if it.reason else ""
    waits = "waits until a person has looked at it" if it.held_for else "waits for people"
    return in_a_line(f"{question} {waits}{why}; `antiphon handoffs show {it.handoff_id}`")


def _ended(it: HandoffEnded, question: str) -> str:
    why = f": “{shortened(it.note, _QUOTED)}”" if it.note else ""
    then = f"; {it.handler} goes on" if it.handler else ""
    if it.end == HANDOFF_END_RETURNED:
        return in_a_line(f"{it.handler} goes on with {question}{why}")
    if it.end == HANDOFF_END_DECLINED:
        return in_a_line(f"nobody will answer {question}{why}{then}")
    if it.end == HANDOFF_END_EXPIRED:
        return in_a_line(f"nobody has answered {question} in time{then}")
    return ""  # the answer is there


def _at(it: ScheduleFailed | ScheduleSkipped) -> str:
    return f"at {local_time(it.due_time)}"
