"""Who made, changed and took away schedules, stored for the audit trail with the change itself."""

from collections.abc import Collection

from sqlalchemy import Connection

from antiphon.auth.v1 import audit_pb2
from antiphon_server.runtime.trail.outbox import Author
from antiphon_server.scheduling.model import Schedule
from antiphon_server.scheduling.planning import when_text

_TEXT = 256
"""So many letters does a text of the trail have."""


def note_created(connection: Connection, by: Author, it: Schedule) -> None:
    """Somebody made it."""
    told = audit_pb2.ScheduleCreated(
        resource=_resource(it), schedule_id=it.schedule_id, due=_due(it)
    )
    by.note(connection, user_id=_user_of(it), schedule_created=told)


def note_updated(connection: Connection, by: Author, it: Schedule, named: Collection[str]) -> None:
    """Somebody changed the named fields of it, and it is this now."""
    told = audit_pb2.ScheduleUpdated(
        resource=_resource(it),
        schedule_id=it.schedule_id,
        changed=sorted(named),
        due="" if it.paused else _due(it),
    )
    by.note(connection, user_id=_user_of(it), schedule_updated=told)


def note_deleted(connection: Connection, by: Author, it: Schedule) -> None:
    """Somebody took it away."""
    told = audit_pb2.ScheduleDeleted(resource=_resource(it), schedule_id=it.schedule_id)
    by.note(connection, user_id=_user_of(it), schedule_deleted=told)


def _resource(it: Schedule) -> str:
    return f"conversations/{it.conversation_id}"


def _user_of(it: Schedule) -> str:
    """Whose it is; empty of one that a service made."""
    kind, _, user_id = it.creator.partition("/")
    return user_id if kind == "users" else ""


def _due(it: Schedule) -> str:
    return when_text(it.when)[:_TEXT]
