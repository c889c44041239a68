"""What the context service needs from outside: its records, and other services."""

from collections.abc import Callable

from antiphon_server.context.ports.records import OutboxRecords, Records, Store
from antiphon_server.context.ports.services import (
    ErasesWords,
    EventLog,
    RoleAudit,
    ScreensMessages,
    Speaking,
    Users,
    WatchesMessages,
    Words,
)

Clock = Callable[[], float]
"""Unix time in seconds."""

__all__ = [
    "Clock",
    "OutboxRecords",
    "Records",
    "Store",
    "ErasesWords",
    "EventLog",
    "RoleAudit",
    "ScreensMessages",
    "Speaking",
    "Users",
    "WatchesMessages",
    "Words",
]
