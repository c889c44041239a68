"""What schedules are made of. Times are in microseconds since 1970."""

from dataclasses import dataclass
from typing import TypeAlias

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MINUTE_US = 60_000_000
Position: TypeAlias = tuple[int, str, str]
"""Where one stands in a list: a time, its conversation's id and its own."""
FIRST: Position = (-(2**62), "", "")
"""Before all of them."""


class Missed(OpenIntEnum):
    """What becomes of due times at which no server ran; the numbers are the contract's."""

    SKIP = 1
    ONE = 2
    ALL = 3


class Outcome(OpenIntEnum):
    """What became of a due time; the numbers are the contract's."""

    STARTED = 1
    SKIPPED = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Cron:
    """Due times by the clock of a place."""

    expression: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """A message that is due at a time, or again and again.

    ``body`` is what it says, as the contract's Schedule; ``when`` is the one time or the rule. The
    turns count for ``api_keys``, as those of its creator's call would. ``life`` is its own among
    all that ever have its id. ``next_us`` is None if nothing is due any more. ``failures`` are
    those in a row.
    """

    schedule_id: str
    conversation_id: str
    workspace_id: str
    creator: str
    created_us: int
    life: str
    body: bytes
    when: int | Cron
    missed: Missed = Missed.SKIP
    paused: bool = False
    api_keys: tuple[str, ...] = ()
    etag: str = ""
    next_us: int | None = None
    last_us: int | None = None
    last_turn_id: str = ""
    last_error: str = ""
    failures: int = 0
    last_conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule that is due, and since when; no more of it than what is needed to wait."""

    conversation_id: str
    schedule_id: str
    workspace_id: str
    next_us: int

    @property
    def key(self) -> tuple[str, str]:
        """Which schedule it is."""
        return self.conversation_id, self.schedule_id

    @property
    def position(self) -> Position:
        """Where it stands among those that are due."""
        return self.next_us, self.conversation_id, self.schedule_id


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a due time; ``skipped`` are those left out of which it is the newest.

    ``conversation_id`` is where its turn is. ``paused`` says that its schedule was paused by it.
    """

    due_us: int
    run_us: int
    outcome: Outcome
    turn_id: str = ""
    error: str = ""
    skipped: int = 0
    conversation_id: str = ""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Untold:
    """A run of which the log of its schedule's conversation doesn't know yet."""

    conversation_id: str
    schedule_id: str
    run: Run
