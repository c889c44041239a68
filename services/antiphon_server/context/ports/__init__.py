"""What the context service needs from outside: its records, and other services."""

from collections.abc import Callable

from antiphon_server.context.ports.records import (
    ConversationRecords,
    Entry,
    MemberRecords,
    MessageRecords,
    OutboxRecords,
    Records,
    RequestRecords,
    Store,
    WorkspaceRecords,
)
from antiphon_server.context.ports.services import EventLog, RoleAudit, Users

Clock = Callable[[], float]
"""Unix time in seconds."""

__all__ = [
    "Clock",
    "Entry",
    "WorkspaceRecords",
    "ConversationRecords",
    "MemberRecords",
    "MessageRecords",
    "OutboxRecords",
    "RequestRecords",
    "Records",
    "Store",
    "EventLog",
    "RoleAudit",
    "Users",
]
