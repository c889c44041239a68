"""Schedules and runs as rows of their tables."""

from typing import Any

from antiphon_server.scheduling.model import Cron, Missed, Outcome, Run, Schedule


def row_of(it: Schedule) -> dict[str, Any]:
    """Encode a schedule."""
    cron = it.when if isinstance(it.when, Cron) else Cron("", "")
    return {
        "conversation_id": it.conversation_id,
        "schedule_id": it.schedule_id,
        "workspace_id": it.workspace_id,
        "creator": it.creator,
        "created_us": it.created_us,
        "life": it.life,
        "body": it.body,
        "at_us": None if isinstance(it.when, Cron) else it.when,
        "cron": cron.expression,
        "time_zone": cron.time_zone,
        "missed": int(it.missed),
        "paused": it.paused,
        "api_keys": " ".join(it.api_keys),
        "etag": it.etag,
        "next_us": it.next_us,
        "last_us": it.last_us,
        "last_turn_id": it.last_turn_id,
        "last_error": it.last_error,
        "failures": it.failures,
        "last_conversation_id": it.last_conversation_id,
    }


def schedule_of(row: Any) -> Schedule:
    """Decode one."""
    return Schedule(
        row.schedule_id,
        row.conversation_id,
        row.workspace_id,
        row.creator,
        row.created_us,
        row.life,
        row.body,
        Cron(row.cron, row.time_zone) if row.at_us is None else row.at_us,
        Missed(row.missed),
        bool(row.paused),
        tuple(row.api_keys.split()),
        row.etag,
        row.next_us,
        row.last_us,
        row.last_turn_id,
        row.last_error,
        row.failures,
        row.last_conversation_id,
    )


def run_row(schedule: Schedule, it: Run) -> dict[str, Any]:
    """Encode a run."""
    return {
        "conversation_id": schedule.conversation_id,
        "schedule_id": schedule.schedule_id,
        "due_us": it.due_us,
        "run_us": it.run_us,
        "outcome": int(it.outcome),
        "turn_id": it.turn_id,
        "error": it.error,
        "skipped": it.skipped,
        "run_conversation_id": it.conversation_id,
        "paused": it.paused,
        "untold_us": None if it.outcome is Outcome.STARTED else it.run_us,
    }


def run_of(row: Any) -> Run:
    """Decode one."""
    outcome = Outcome(row.outcome)
    return Run(
        row.due_us,
        row.run_us,
        outcome,
        row.turn_id,
        row.error,
        row.skipped,
        row.run_conversation_id,
        bool(row.paused),
    )
