"""Budgets, as they are made and kept."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, NewType

from antiphon_server.integration.ledger.model import BudgetId, Counted, Payer, Use

Parent = NewType("Parent", str)
"""Whose a budget is: a workspace's id, or "global" for the installation."""
BudgetName = NewType("BudgetName", str)
GLOBAL = Parent("global")
MOST_BUDGETS = 100
"""Of one parent."""
USUAL_WARN_PERCENT = 80


class Scope(IntEnum):
    """Whose calls a budget counts together. Values are those of the contract and the store."""

    INSTALLATION = 1
    WORKSPACE = 2
    USER = 3
    CONVERSATION = 4
    TURN = 5
    API_KEY = 6

    def subjects(self, payer: Payer) -> tuple[str, ...]:
        """Who of that scope pays for a call, if anybody does: of API keys the first before others.

        A key pays for those that were made with it, too.
        """
        match self:
            case Scope.INSTALLATION:
                return ("",)
            case Scope.WORKSPACE:
                return (payer.workspace_id,)
            case Scope.USER:
                return _given(payer.user_id)
            case Scope.CONVERSATION:
                return _given(payer.conversation_id)
            case Scope.TURN:
                return (f"{payer.conversation_id}/{payer.turn_id}",) if payer.turn_id else ()
            case Scope.API_KEY:
                return payer.api_keys


class Span(IntEnum):
    """How long a window is. Values are those of the contract and the store."""

    MINUTE = 1
    HOUR = 2
    DAY = 3
    MONTH = 4
    ONCE = 5


class WhenExceeded(IntEnum):
    """What becomes of a call that does not fit. Values are those of the contract and the store."""

    REFUSE = 1
    NEXT_MODEL = 2


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted of whose calls: a budget of which this is changed begins with nothing.

    An empty ``subject`` means each of the scope, no ``targets`` mean all; ``currency`` is that of
    money, else "".
    """

    scope: Scope
    subject: str
    span: Span
    time_zone: str
    counted: Counted
    currency: str
    targets: tuple[str, ...]

    def subject_of(self, payer: Payer) -> str | None:
        """Whose sum a call goes to; None if it is not counted.

        Where each API key has one, all that were made with a key share its sum.
        """
        subjects = self.scope.subjects(payer)
        if self.subject:
            return self.subject if self.subject in subjects else None
        return subjects[0] if subjects else None

    def covers(self, target: str) -> bool:
        """Whether calls to that model or tool are counted."""
        return not self.targets or any(_matches(it, target) for it in self.targets)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a budget allows: ``limit`` is in millionths of the currency, tokens or calls."""

    limit: int
    when_exceeded: WhenExceeded = WhenExceeded.REFUSE
    warn_percent: int = USUAL_WARN_PERCENT

    @property
    def warn_at(self) -> int:
        """The use from which on people are warned, rounded up."""
        return -(-self.limit * self.warn_percent // 100)


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget; times are microseconds since the epoch, UTC.

    ``counted_us`` is since when it counts what it does, ``etag`` another one after each change.
    """

    budget_id: BudgetId
    parent: Parent
    name: BudgetName
    counts: Counts
    terms: Terms
    created_us: int
    counted_us: int
    updated_us: int

    @property
    def etag(self) -> str:
        """What it is by now, in short."""
        terms = self.terms.limit, self.terms.when_exceeded.value, self.terms.warn_percent
        seen = repr((self.budget_id, self.updated_us, terms))
        return f"etag_{hashlib.sha256(seen.encode()).hexdigest()[:24]}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What whoever puts a budget has seen: one of that ``etag``, or none if it ``must_be_new``.

    Without either it is put in place of whatever is there.
    """

    etag: str = ""
    must_be_new: bool = False


WHATEVER = Seen()


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a window is used, for one subject; a budget without windows has no times."""

    subject: str
    start_us: int
    end_us: int
    use: Use


class Subject(NamedTuple):
    """A user or conversation, which has a sum of its own in budgets of that scope."""

    scope: Scope
    name: str


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """A budget, and those who use most of its present window."""

    budget: Budget
    standings: Collection[Standing]


class Over(NamedTuple):
    """A budget's windows that are over: those that began, and were made, before these times."""

    budget_id: BudgetId
    began_us: int
    made_us: int


def _given(subject: str) -> tuple[str, ...]:
    return (subject,) if subject else ()


def _matches(pattern: str, target: str) -> bool:
    if pattern.endswith("*"):
        return target.startswith(pattern[:-1])
    return target == pattern
