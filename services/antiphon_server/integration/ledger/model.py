"""Calls that cost something: who pays, what they consumed, how they ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, NewType

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum

CallId = NewType("CallId", str)
WorkspaceId = NewType("WorkspaceId", str)

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
    """For whom a call is made; conversation and turn may be empty."""

    workspace_id: WorkspaceId
    conversation_id: str = ""
    turn_id: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call to ``target`` that is about to be made.

    ``expected`` is the known minimum of what it will consume.
    """

    call_id: CallId
    payer: Payer
    kind: CallKind
    target: str
    start_us: int
    expected: Usage


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call ended; ``error_reason`` is the name of a Reason, or empty.

    ``provider_status`` and ``provider_message`` are what a provider said of its failure, for
    operators: HTTP's status, or 0, and its words, at most 500 characters.
    """

    outcome: Outcome
    usage: Usage
    duration_ms: int
    error_reason: str = ""
    provider_status: int = 0
    provider_message: str = ""


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
