"""Security events in their chain: where each stands, and what it is found by."""

from collections.abc import Callable
from dataclasses import dataclass

from antiphon_server.auth.model.security_events import SecurityEvent


@dataclass(frozen=True, slots=True)
class StampedEvent:
    """An event with all that is known of it but its place. The time is in microseconds."""

    event: SecurityEvent
    event_id: str
    create_time: int


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An audit event at its place in the chain, with its search keys.

    ``seal`` proves that this installation wrote the event: unlike ``hash``, it can be computed
    only with the installation's secret.
    """

    sequence: int
    kind: int
    user_id: str
    actor: str
    create_time: int
    body: bytes
    previous_hash: bytes
    hash: bytes
    seal: bytes


Seal = Callable[[bytes], bytes]
"""Makes the seal of a hash."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain of audit events: the place and hash of the newest."""

    sequence: int
    hash: bytes


NOTHING = Head(0, bytes(32))
"""The head of an empty chain."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events are wanted; ``kinds`` are the contract's numbers, none means all.

    ``user_id`` wants events that concern an account or that it did. Times are in microseconds,
    the first included, the last not.
    """

    user_id: str = ""
    kinds: frozenset[int] = frozenset()
    begin_time: int | None = None
    end_time: int | None = None


ALL = Selection()
