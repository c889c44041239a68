"""What a stream says to its client, before it is serialised."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from antiphon_server.events.model import Cursor, Record, Scope
from antiphon_server.runtime.errors import DomainError


class Close(IntEnum):
    """Why a watch or stream ended; the values are the contract's CloseReason."""

    CANCELLED = 1
    ACCESS_REMOVED = 2
    SESSION_ENDED = 3
    REJECTED = 4
    HISTORY_LOST = 5
    SLOW_READER = 6
    DRAINING = 7


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one watch, in order, and the position after them."""

    watch_id: str
    scope: Scope
    records: Sequence[Record]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """One event that is not in the log."""

    watch_id: str
    scope: Scope
    body: bytes
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Created:
    """A watch is in place."""

    watch_id: str
    scope: Scope
    cursor: Cursor
    head: Cursor


@dataclass(frozen=True, slots=True)
class Ended:
    """A watch is over; the whole stream if ``watch_id`` is empty."""

    watch_id: str
    reason: Close
    error: DomainError | None = None
    scope: Scope | None = None
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far each watch is: (watch id, scope, position)."""

    positions: Sequence[tuple[str, Scope, Cursor]]


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is about to end the stream."""

    reconnect_after_s: float


Frame = Batch | Ephemeral | Created | Ended | Progress | Draining
