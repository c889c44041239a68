"""Filters, what they look at, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MOST_FILTERS = 32
TIMEOUT_S = 2.0
"""How long a filter may take that says nothing else."""
MOST_CATEGORIES = 32


class Action(OpenIntEnum):
    """What becomes of something, as ``FilterAction``; of several the highest counts."""

    PASS = 0
    FLAG = 1
    SANITISE = 2
    HOLD = 3
    BLOCK = 4


class Stage(OpenIntEnum):
    """Where something comes from, as ``FilterStage``."""

    MESSAGE = 1
    TOOL_RESULT = 2
    ANSWER = 3


DEFAULT_STAGES = frozenset({Stage.MESSAGE, Stage.TOOL_RESULT})


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys, tokens and passwords."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What belongs to a person; of no categories all. Phones may be dialled as in ``regions``."""

    categories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """Words that are not to be said; ``parts`` not within others either."""

    terms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """What programs would act on."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The same, over and over."""


@dataclass(frozen=True, slots=True)
class Injection:
    """What would give a model other orders."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A program of others, by a connection's tool."""

    tool: str


@dataclass(frozen=True, slots=True)
class Newer:
    """What a newer server knows to look for, and this one doesn't."""


Kind: TypeAlias = Secrets | PersonalData | Terms | Payload | Repetition | Injection | Remote | Newer


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter, as the contract's ``Filter``; ``fails_open``: what it can't look at passes."""

    name: str
    action: Action
    kind: Kind
    stages: frozenset[Stage] = DEFAULT_STAGES
    timeout_s: float = TIMEOUT_S
    fails_open: bool = False
    disabled: bool = False

    @property
    def known(self) -> bool:
        """Whether this server knows what it looks for, and what becomes of what it finds."""
        return self.action.known and not isinstance(self.kind, Newer)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one filter says; ``failure`` names the reason why it could not look, if it could not."""

    parent: str
    filter: str
    action: Action
    categories: tuple[str, ...] = ()
    found: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose something is, and where it comes from, as ``Screening`` says it."""

    workspace_id: str
    conversation_id: str
    stage: Stage
    author: str
    turn_id: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """How many bytes may be left of ``each`` text, and of all; where nothing is said, any number.

    Of a text that may have 0 nothing can be cut out: it is a number, or what names something.
    """

    each: Sequence[int] = ()
    total: int | None = None


ANY = Room()


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of something: ``texts`` are what is left of it, unless it is ``refused``.

    ``cuts_held``: it can't wait for a person, and what one should look at is cut out.
    """

    texts: Sequence[str]
    verdicts: tuple[Verdict, ...] = ()
    refused: bool = False
    room: Room = ANY
    cuts_held: bool = False

    @property
    def action(self) -> Action:
        """The highest of what filters said."""
        return max((it.action for it in self.verdicts), default=Action.PASS)

    @property
    def is_cut(self) -> bool:
        """Whether ``texts`` are others."""
        return any(it.action is Action.SANITISE for it in self.verdicts)

    @property
    def held_by(self) -> "Verdict | None":
        """The first that wants a person to look, where none has refused it."""
        if self.action is not Action.HOLD:
            return None
        return next(it for it in self.verdicts if it.action is Action.HOLD)


@dataclass(frozen=True, slots=True)
class Screening:
    """What came of something, as it is remembered: nothing of what was found is in it."""

    screening_id: str
    origin: Origin
    action: Action
    refused: bool
    verdicts: tuple[Verdict, ...]
    created_us: int
