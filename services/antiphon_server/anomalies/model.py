"""Detectors, what they are told, and what they find."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

MOST_DETECTORS = 32
EFFECT_S = 600.0
"""How long an effect lasts of a detector that says nothing else."""
THROTTLED_PER_MINUTE = 2


class About(OpenIntEnum):
    """What a detector keeps figures of, as ``AnomalySubject``."""

    USER = 1
    SESSION = 2
    CONVERSATION = 3
    WORKSPACE = 4


class Effect(OpenIntEnum):
    """What a flag does, as ``FlagEffect``."""

    NONE = 1
    THROTTLE = 2
    REVIEW = 3


@dataclass(frozen=True, slots=True)
class Rate:
    """How much is said."""

    most: float = 60
    times: float = 8
    least: float = 20


@dataclass(frozen=True, slots=True)
class Repetition:
    """How often the same is said."""

    most: float = 10
    least_bytes: int = 16


@dataclass(frozen=True, slots=True)
class Verdicts:
    """How often filters find something."""

    most: float = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """How many tokens are spent."""

    most_tokens: float = 1_000_000
    times: float = 8
    least_tokens: float = 50_000


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Signing in from elsewhere."""


@dataclass(frozen=True, slots=True)
class OddHours:
    """Speaking when one never does."""

    usual: float = 0.02
    least_hours: float = 40


@dataclass(frozen=True, slots=True)
class Newer:
    """What a newer server knows to look for, and this one doesn't."""


Kind: TypeAlias = Rate | Repetition | Verdicts | Cost | NewPlace | OddHours | Newer
NAMES: Mapping[type, str] = {
    Rate: "rate",
    Repetition: "repetition",
    Verdicts: "verdicts",
    Cost: "cost",
    NewPlace: "new_place",
    OddHours: "odd_hours",
}
"""What kinds are called, as the fields of the contract's ``Detector``."""
WINDOWS_S: Mapping[type, float] = {
    Rate: 60,
    Repetition: 300,
    Verdicts: 600,
    Cost: 600,
    NewPlace: 3600,
    OddHours: 3600,
}
"""How much of the past counts to detectors that say nothing else."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One of them, as the contract's ``Detector``; ``window_s`` 0 stands for its kind's."""

    name: str
    kind: Kind
    about: About = About.USER
    window_s: float = 0
    threshold: float = 1.0
    effect: Effect = Effect.NONE
    effect_s: float = EFFECT_S
    throttle_per_minute: int = THROTTLED_PER_MINUTE
    disabled: bool = False

    @property
    def known(self) -> bool:
        """Whether this server knows what it looks for, and of whom."""
        return self.about.known and not isinstance(self.kind, Newer)

    @property
    def window(self) -> float:
        """How much of the past counts, in seconds."""
        return self.window_s or WINDOWS_S[type(self.kind)]


class Sign(Enum):
    """What a signal says."""

    SAID = 1
    SCREENED = 2
    SPENT = 3
    SIGNED_IN = 4


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that happened at ``at``, in Unix seconds; nothing of what was said is in it.

    ``fingerprint`` and ``size`` are of what was said; ``amount`` is how often that was, 2 of what
    filters refused and 1 of what else they found, and the tokens spent in the window so far;
    ``place`` is a network. ``elsewhere``: at another server, which has told this one.
    """

    sign: Sign
    at: float
    user: str = ""
    session: str = ""
    conversation: str = ""
    workspace: str = ""
    fingerprint: int = 0
    size: int = 0
    amount: float = 1
    place: str = ""
    elsewhere: bool = False

    def subject(self, about: About) -> str:
        """Whom it is about; empty for nobody."""
        if about is About.USER:
            return self.user
        if about is About.SESSION:
            return self.session and f"sessions/{self.session}"
        if about is About.CONVERSATION:
            return self.conversation and f"conversations/{self.conversation}"
        return self.workspace and f"workspaces/{self.workspace}"

    def subjects(self) -> tuple[str, ...]:
        """All whom it is about."""
        return tuple(it for it in map(self.subject, About) if it)


@dataclass(frozen=True, slots=True)
class Found:
    """How far from the ordinary something is: 1 at the bound and beyond, and what was counted."""

    score: float
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Key:
    """Which flag: one at a time is open for each."""

    parent: str
    detector: str
    subject: str


@dataclass(slots=True)
class Raised:
    """What is to be added to a flag, or to a new one: the highest score with its evidence.

    ``count`` is how often that was here; what was elsewhere is counted there.
    """

    key: Key
    detector: Detector
    signal: Signal
    found: Found
    count: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, as the contract's ``Flag``; times in microseconds since 1970, 0 for none."""

    flag_id: str
    key: Key
    kind: str
    user: str
    workspace_id: str
    conversation_id: str
    score: float
    evidence: Mapping[str, float]
    count: int
    first_us: int
    last_us: int
    effect: Effect
    effect_end_us: int
    throttle_per_minute: int
    changed_us: int
    cleared_us: int = 0
    cleared_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Throttle:
    """Of a subject little is taken until ``end_us``."""

    key: Key
    end_us: int
    per_minute: int
