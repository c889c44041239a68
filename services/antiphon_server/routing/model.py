"""Rules of routes, what they look at, and what is decided by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

MOST_RULES = 100
TEXT_BYTES = 64 * 1024
"""So much of a message's text is looked at."""
MOST_CANDIDATES = 8
"""So many a decision names."""
MIN_SCORE, MIN_MARGIN = 0.4, 0.1
MOST_OFFERED = 3
WAIT_S = 3600.0
ANY = "*"


@dataclass(frozen=True, slots=True)
class Match:
    """What a rule looks at, as ``RouteMatch``: all that it says must hold; of a list, one."""

    types: Sequence[str] = ()
    media_types: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    languages: Sequence[str] = ()
    senders: Sequence[str] = ()
    workspaces: Sequence[str] = ()
    text_patterns: Sequence[str] = ()
    sender_locales: Sequence[str] = ()
    sender_fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ask:
    """How a person is asked who shall have their message, as ``RouteAsk``; 0 means the usual."""

    most: int = 0
    min_score: float = 0.0
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Classifier:
    """Chooses among experts, as ``RouteClassifier``; of its numbers 0 means the usual one.

    ``ask`` is how a person does where it is not sure, if one shall.
    """

    handlers: Sequence[str] = ()
    min_score: float = 0.0
    min_margin: float = 0.0
    ask: Ask | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a message goes that it matches, as ``RouteRule``: a handler, or who is chosen."""

    name: str
    priority: int = 0
    match: Match = Match()
    handler: str = ""
    classifier: Classifier | None = None
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message and what is known of its conversation.

    ``media_types`` are those of its parts, ``language`` is the conversation's, ``sender`` is who
    asks (``users/user_…``), of whom ``sender_locale`` and ``sender_fields`` are known where rules
    look at them. Of ``text`` the first 64 KiB count. ``attended``: the sender waits for
    the answer, and may be asked.
    """

    text: str = ""
    type: str = ""
    media_types: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    sender: str = ""
    workspace_id: str = ""
    attended: bool = True
    sender_locale: str = ""
    sender_fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expert:
    """A handler that a workspace may name; ``available``: somebody serves it now."""

    handler: str
    description: str = ""
    examples: tuple[str, ...] = ()
    available: bool = True


class Outcome(IntEnum):
    """How a handler was found, as ``RouteOutcome``."""

    RULE = 1
    CLASSIFIED = 2
    UNSURE = 3
    AWAY = 4
    DEFAULT = 5
    ASKED = 6
    CHOSEN = 7


@dataclass(frozen=True, slots=True)
class Candidate:
    """An expert that a message may be for; ``score`` from 0 to 1, all together at most 1."""

    handler: str
    score: float


@dataclass(frozen=True, slots=True)
class Question:
    """That a person is asked which of these experts shall have it.

    ``fallback`` is who has it if the one vanishes whom they choose.
    """

    experts: tuple[Expert, ...]
    wait_s: float
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a message has its handler, as ``RouteDecision``.

    ``fallback`` is who gets it if the handler vanishes. With DEFAULT, ``parent`` and ``revision``
    are of the routes that were asked last. With ASKED, ``otherwise`` is what is decided if the
    person chooses nobody.
    """

    handler: str
    outcome: Outcome
    parent: str = ""
    revision: int = 0
    rule: str = ""
    candidates: tuple[Candidate, ...] = ()
    margin: float = 0.0
    passed_over: tuple[str, ...] = ()
    fallback: str = ""
    question: Question | None = None
    otherwise: "Decision | None" = None

    def asking(self, question: Question, otherwise: "Decision") -> "Decision":
        """That a person is asked first; if they choose nobody, what ``otherwise`` says stands."""
        return replace(
            self,
            handler=otherwise.handler,
            outcome=Outcome.ASKED,
            passed_over=otherwise.passed_over,
            fallback=otherwise.fallback,
            question=question,
            otherwise=replace(otherwise, question=question),
        )

    def chosen(self, handler: str) -> "Decision":
        """What is said of the message once the person who was asked has chosen that one."""
        assert self.question is not None, "it asks"
        fallback = self.question.fallback
        return replace(
            self,
            handler=handler,
            outcome=Outcome.CHOSEN,
            fallback=fallback if fallback != handler else "",
            otherwise=None,
        )

    def fallen_back(self) -> "Decision":
        """What is said of the message once the handler has vanished."""
        passed_over = (*self.passed_over, self.handler)
        return replace(
            self,
            handler=self.fallback,
            outcome=Outcome.AWAY,
            passed_over=passed_over,
            fallback="",
            otherwise=None,
        )
