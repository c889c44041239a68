"""The log's own types."""

import re
import secrets
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, NewType

from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

Scope = NewType("Scope", str)
Offset = NewType("Offset", int)
Epoch = NewType("Epoch", str)

NODES = Scope("nodes")
"""What nodes that share a store have to tell each other; no client can name it."""

EPOCH_LENGTH = 12
_CURSOR = re.compile(rf"([0-9a-f]{{8}})([0-9a-f]{{{EPOCH_LENGTH}}})([0-9a-f]{{1,16}})")


class Kind(IntEnum):
    """The kinds that the log itself must know; the values are the contract's EventKind."""

    TEXT_DELTA = 16
    MESSAGES_ERASED = 56


def new_epoch() -> Epoch:
    """A random name for one unbroken history of a scope."""
    return Epoch(secrets.token_hex(EPOCH_LENGTH // 2))


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in one scope's history: everything up to ``offset`` has been seen."""

    epoch: Epoch
    offset: Offset

    def encode(self, scope: Scope) -> str:
        """The opaque string that clients keep."""
        return f"{zlib.crc32(scope.encode()):08x}{self.epoch}{self.offset:x}"

    @classmethod
    def decode(cls, scope: Scope, text: str) -> "Cursor":
        """Read a client's cursor back.

        Raises DomainError CURSOR_INVALID if it was not issued for ``scope``.
        """
        match = _CURSOR.fullmatch(text)
        if match is None or int(match[1], 16) != zlib.crc32(scope.encode()):
            raise DomainError(Reason.CURSOR_INVALID, scope=scope)
        return cls(Epoch(match[2]), Offset(int(match[3], 16)))


@dataclass(frozen=True, slots=True)
class Head:
    """Where a scope's log ends (``last``, 0 if empty) and what can be read (from ``earliest``)."""

    epoch: Epoch
    last: Offset
    earliest: Offset


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Whose access an event changes: a user's on some resource, or one session's at all.

    With ``anybody`` it is not known whose.
    """

    user_id: UserId | None = None
    session_id: SessionId | None = None
    anybody: bool = False


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append: its kind, and its serialized envelope without place and time."""

    kind: int
    turn_id: str
    body: bytes
    access_change: AccessChange | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An event at its place. ``wire`` is the whole event, serialized once for all readers."""

    first: Offset
    last: Offset
    kind: int
    wire: bytes


class Folded(NamedTuple):
    """How many deltas were removed; behind ``up_to`` the log is as it was."""

    removed: int
    up_to: Offset


@dataclass(frozen=True, slots=True)
class Fence:
    """A writer's number; a lower one than the highest seen for ``key`` is kept out."""

    key: str
    token: int


@dataclass(frozen=True, slots=True, eq=False)
class Redaction:
    """Takes the words out of events between ``first`` and ``last``, at their places.

    Of those events that are of ``turn_ids``, or at ``offsets``. Text deltas of the turns are folded
    before. ``without_words`` gets a kind and a serialised event, and returns what is left of it;
    where nothing is to be done, the same.
    """

    first: Offset
    last: Offset
    offsets: Collection[Offset]
    turn_ids: Collection[str]
    without_words: Callable[[int, bytes], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """An atomic append. ``digest`` identifies its content if it has a request id.

    ``fold`` names a turn that ends with it, whose text deltas may be folded in the same commit.
    ``stops``: somebody has stopped it, so that nobody who is behind gets those deltas any more.
    ``redaction`` is made in the same commit; one of the events is MESSAGES_ERASED then, by which
    whoever has any of what it changes knows that it is gone.
    """

    scope: Scope
    events: Sequence[NewEvent]
    time_us: int
    request_id: str = ""
    digest: bytes = b""
    fence: Fence | None = None
    fold: str = ""
    stops: bool = False
    redaction: Redaction | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """The place and time of an append. ``duplicate`` says that its request id was known.

    ``folded`` says that the deltas of the turn that ended with it were removed.
    """

    epoch: Epoch
    first: Offset
    last: Offset
    time_us: int
    duplicate: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit to a scope, whose log now ends at ``last``, with its events in order.

    It may carry only some of the events, or none; the store has them all.
    """

    scope: Scope
    epoch: Epoch
    last: Offset
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a log: ``position`` is the offset up to which it tells everything."""

    records: Sequence[Record]
    position: Offset
    at_head: bool
