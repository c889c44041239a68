"""Calls that cost something: who pays, what they consumed, how they ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, NewType

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.errors import DomainError, Reason

CallId = NewType("CallId", str)
WorkspaceId = NewType("WorkspaceId", str)
BudgetId = NewType("BudgetId", str)

# What was called, by the contract's number: newer servers write kinds that this one does not know.
CallKind = NewType("CallKind", int)
MODEL_CALL = CallKind(1)
TOOL_CALL = CallKind(2)


class Outcome(OpenIntEnum):
    """How a call ended. Values are those of the contract and the store."""

    SUCCEEDED = 1
    FAILED = 2
    CANCELLED = 3
    UNKNOWN = 4


MOST_PRICE_MICROS = 10**12
"""The most that a million tokens, or a call, is said to cost: a million of the currency's unit."""
MOST_COST_MICROS = 10**15
"""The most that one call is booked as: only what no price that is asked anywhere comes to.

Sums are kept in 64 bits. 9,000 such calls stay within them; calls at the most that a call may be
said to cost do so nine million times, and tokens, of which a call has 2**32 at most, for ever.
"""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of the currency's unit."""

    currency: str
    micros: int


class Quantities(NamedTuple):
    """How much one or more calls consumed, by what is counted; the names are the store's columns.

    Of what does not apply to a call it has 0: one that has a price by itself has no tokens. All
    others are parts of those of input and output, cached audio one of what is cached and of audio.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    cached_audio_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """The consumption of one or more calls; ``cost`` is None if a price is unknown."""

    quantities: Quantities
    estimated: bool
    cost: Money | None


def total(usages: Iterable[Usage]) -> Usage:
    """The sum; without a cost if one has none or their currencies differ."""
    every = list(usages)
    costs = [usage.cost for usage in every if usage.cost is not None]
    currencies = {cost.currency for cost in costs if cost.micros} or {"USD"}
    known = len(costs) == len(every) and len(currencies) == 1
    return Usage(
        Quantities(*map(sum, zip(*(usage.quantities for usage in every), strict=True))),
        any(usage.estimated for usage in every),
        Money(currencies.pop(), sum(cost.micros for cost in costs)) if known else None,
    )


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom a call is made; conversation, turn and user may be empty.

    ``api_keys`` is the key that it is made with, behind those that this was made with.
    """

    workspace_id: WorkspaceId
    conversation_id: str = ""
    turn_id: str = ""
    user_id: str = ""
    api_keys: tuple[str, ...] = ()

    @property
    def api_key_id(self) -> str:
        """The key that the call is made with; "" if with none."""
        return self.api_keys[-1] if self.api_keys else ""


class Rated(NamedTuple):
    """What is asked for a call's tokens, if nobody reports them; the names are the store's columns.

    Prices of a million tokens, in millionths of the currency's unit, and the most that it may
    answer. Calls of servers that did not write it down have none of it.
    """

    input_rate: int = 0
    output_rate: int = 0
    most_output: int = 0


UNRATED = Rated()


class Counted(IntEnum):
    """What a budget counts. Values are those of the store."""

    MONEY = 1
    TOKENS = 2
    CALLS = 3


class Window(NamedTuple):
    """One window of a budget for one subject; ``start_us`` is 0 where it has no beginning."""

    budget_id: BudgetId
    subject: str
    start_us: int


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a window is used: by ended calls, and at most by running ones."""

    spent: int
    reserved: int

    @property
    def used(self) -> int:
        """Both."""
        return self.spent + self.reserved


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call may take of a window: ``amount``, if with it no more than ``limit`` is used.

    Money is in millionths. Once ``warn_at`` is used, that is told.
    """

    window: Window
    counted: Counted
    amount: int
    limit: int
    warn_at: int


@dataclass(frozen=True, slots=True)
class Reached:
    """The call with that charge is the first of its window to reach the charge's ``warn_at``."""

    charge: Charge
    use: Use


@dataclass(frozen=True, slots=True)
class Overrun:
    """A call consumed more of a window than was reserved for it.

    Of one that was given up before, ``reserved`` is what was booked by then, and ``use`` what its
    window has now: it may be within its limit.
    """

    window: Window
    reserved: int
    spent: int
    use: Use | None = None


class Full(NamedTuple):
    """A charge that its window has too little left for."""

    charge: Charge
    use: Use


class WindowFull(Exception):
    """A call is not made, since it may take more than some of its windows have left: all these."""

    def __init__(self, *full: Full) -> None:
        super().__init__(*full)
        self.full = full


class BudgetExceeded(DomainError):
    """A budget has too little left for a call; ``next_model`` says that another may be asked."""

    def __init__(self, *, next_model: bool, retry_after: float | None, **metadata: object) -> None:
        super().__init__(Reason.BUDGET_EXCEEDED, retry_after=retry_after)
        self.metadata = {key: str(value) for key, value in metadata.items()}
        self.next_model = next_model


@dataclass(frozen=True, slots=True)
class Most:
    """The most that a call can consume; ``cost`` is None if its price is not known.

    One that is ``free`` costs nothing, whatever it consumes.
    """

    tokens: int
    cost: Money | None
    free: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call to ``target`` that is about to be made.

    ``expected`` is the known minimum of what it will consume, ``charges`` are the most that it may,
    and by what it is ``rated`` more is estimated.
    """

    call_id: CallId
    payer: Payer
    kind: CallKind
    target: str
    start_us: int
    expected: Usage
    charges: tuple[Charge, ...] = ()
    rated: Rated = UNRATED


class Foreseen(NamedTuple):
    """What is known of a call before it is made: see :class:`Call`."""

    usage: Usage
    rated: Rated = UNRATED


@dataclass(frozen=True, slots=True)
class UnsettledCall:
    """A call that its server has not settled; ``expected`` is its usage as far as that is known."""

    call_id: CallId
    expected: Usage
    rated: Rated


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call ended; ``error_reason`` is the name of a Reason, or empty.

    ``provider_status`` and ``provider_message`` are what a provider said of its failure, for
    operators: HTTP's status, or 0, and its words, at most 500 characters. One that was not ``made``
    is none of the calls that budgets count; that is not kept.
    """

    outcome: Outcome
    usage: Usage
    duration_ms: int
    error_reason: str = ""
    provider_status: int = 0
    provider_message: str = ""
    made: bool = True


NEVER_MADE = Settlement(
    Outcome.CANCELLED, Usage(Quantities(), False, Money("USD", 0)), 0, made=False
)
"""How one ends that may have been opened and is not made."""


@dataclass(frozen=True, slots=True)
class SettledCall:
    """A call as the ledger tells it."""

    call_id: CallId
    payer: Payer
    kind: CallKind
    target: str
    start_us: int
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Selects settled calls by workspace, time [start, end), turn and conversation.

    An empty id selects all. A turn id is unique only within a conversation.
    """

    workspace_id: WorkspaceId
    start_us: int = 0
    end_us: int = 2**62
    turn_id: str = ""
    conversation_id: str = ""
