"""What a memory of others is told, asked, and answers. Times are microseconds since 1970."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from antiphon_server.memory.remembered import Kind, Memory
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MOST_CHANGES = 100
"""So many it is told at once, and asked about at once whether they are gone."""
MOST_HITS = 100
MOST_SCOPES = 1000
"""So many it is asked to look at: those of a reader that have memories."""


class Answered(OpenIntEnum):
    """What came of asking it; the numbers are the contract's ExternalMemoryAnswer."""

    NOT_ASKED = 0
    ANSWERED = 1
    LATE = 2
    FAILED = 3
    LEFT_ALONE = 4


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a memory, at that revision of its scope: without ``memory`` it is to go."""

    memory_id: str
    scope: str
    revision: int
    memory: Memory | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A memory, and whose it is."""

    memory_id: str
    scope: str


@dataclass(frozen=True, slots=True)
class Described:
    """Which store it is, and how much it takes and answers at once."""

    store_id: str
    max_changes: int = MOST_CHANGES
    max_hits: int = MOST_HITS


@dataclass(frozen=True, slots=True)
class Question:
    """What it is asked; empty ``kinds`` and 0 limit nothing."""

    query: str
    scopes: Sequence[str]
    limit: int
    kinds: Sequence[Kind] = ()
    not_before_us: int = 0
    before_us: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """What it found, as far as it says: nothing of it is believed but that it has a place."""

    memory_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking it; ``hits`` are the best first, each id once."""

    answered: Answered
    hits: Sequence[Hit] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is kept of it: its store, and how often it was begun anew (``generation``)."""

    store_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Behind:
    """What it was not told yet, of some scopes; ``reached`` is up to where, once it was."""

    changes: Sequence[Change]
    reached: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much it was not told, and what it has not said to be gone."""

    changes: int = 0
    unconfirmed: int = 0
    oldest_us: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """How it is, as this server knows; see the contract's ExternalMemoryStatus."""

    connection: str = ""
    kind: str = ""
    answers: bool = False
    store_id: str = ""
    waiting: Waiting = Waiting()
    told_us: int = 0
    error_reason: str = ""
    searches: Mapping[str, int] = field(default_factory=dict)
    dropped: int = 0
    altered: int = 0
    passed_over: int = 0
