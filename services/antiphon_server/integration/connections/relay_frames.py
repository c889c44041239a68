"""What a relay says to its client, before it is serialised."""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from antiphon_server.integration.connections.model import Message
from antiphon_server.runtime.errors import DomainError


class Close(IntEnum):
    """Why a relay ended; the values are the contract's RelayCloseReason."""

    CANCELLED = 1
    ACCESS_REMOVED = 2
    SESSION_ENDED = 3
    DRAINING = 7
    CLOSED = 8
    EXPIRED = 9
    CONNECTION_CHANGED = 10
    FAILED = 11


@dataclass(frozen=True, slots=True)
class Opened:
    """Messages go both ways, until ``expires_us`` (microseconds since 1970) at the latest."""

    relay_id: str
    expires_us: int


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over; ``code`` and ``text`` are what the other side has closed it with."""

    reason: Close
    error: DomainError | None = None
    code: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages were handed on, each way."""

    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is about to end the stream."""

    reconnect_after_s: float


Frame: TypeAlias = Message | Opened | Ended | Progress | Draining
