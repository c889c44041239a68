"""The integration service's own types."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, NewType, TypeAlias

CallId = NewType("CallId", str)
ModelName = NewType("ModelName", str)
WorkspaceId = NewType("WorkspaceId", str)
Role: TypeAlias = Literal["user", "assistant", "system"]
PartKind: TypeAlias = Literal["text", "image", "audio", "file"]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message: ``content`` is the text itself, or else a URI."""

    kind: PartKind
    content: str


@dataclass(frozen=True)
class PromptMessage:
    """One message of a prompt."""

    role: Role
    parts: tuple[Part, ...]

    @cached_property
    def text(self) -> str:
        """The text parts, one after the other."""
        return "\n".join(part.content for part in self.parts if part.kind == "text")

    @cached_property
    def text_bytes(self) -> int:
        """How long :attr:`text` is in UTF-8."""
        return len(self.text.encode())

    @cached_property
    def kinds(self) -> frozenset[PartKind]:
        """The kinds of its parts."""
        return frozenset(part.kind for part in self.parts)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked; ``temperature`` None means the model's default."""

    messages: tuple[PromptMessage, ...]
    max_output_tokens: int = 1024
    temperature: float | None = None


class FinishReason(IntEnum):
    """Why a model stopped; the numbers are the contract's."""

    UNSPECIFIED = 0
    STOP = 1
    LENGTH = 2
    CONTENT_FILTER = 3
    TOOL_CALLS = 4


class Outcome(IntEnum):
    """How an attempt ended; the numbers are the contract's and the store's."""

    SUCCEEDED = 1
    FAILED = 2
    CANCELLED = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider reports of one call."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class ModelEnd:
    """A backend's last step; ``tokens`` is None if the provider did not report them."""

    reason: FinishReason
    tokens: Tokens | None


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """``model`` has read so many tokens of its prompt's ``total_tokens``."""

    model: str
    read_tokens: int
    total_tokens: int


# A backend's step: text to append (never empty), how far it has read, or the end.
ModelStep: TypeAlias = str | PromptProgress | ModelEnd


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in millionths of the currency's unit."""

    currency: str
    micros: int


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in millionths of the currency's unit."""

    input_micros: int
    output_micros: int
    currency: str = "USD"

    def cost(self, tokens: Tokens) -> Money:
        """What the tokens cost, rounded up."""
        total = tokens.input * self.input_micros + tokens.output * self.output_micros
        return Money(self.currency, -(-total // 1_000_000))


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or more calls consumed; ``cost`` is None if a price is unknown."""

    input_tokens: int
    output_tokens: int
    estimated: bool
    cost: Money | None


def total(usages: Iterable[Usage]) -> Usage:
    """The sum; without a cost if one has none or their currencies differ."""
    every = list(usages)
    costs = [usage.cost for usage in every if usage.cost is not None]
    currencies = {cost.currency for cost in costs if cost.micros} or {"USD"}
    known = len(costs) == len(every) and len(currencies) == 1
    return Usage(
        sum(usage.input_tokens for usage in every),
        sum(usage.output_tokens for usage in every),
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
class Order:
    """What is to be generated, for whom; no models means the default."""

    payer: Payer
    models: tuple[str, ...]
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt that is about to be made; ``expected`` is the estimate of its prompt."""

    call_id: CallId
    payer: Payer
    model: ModelName
    start_us: int
    expected: Usage


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an attempt ended; ``error_reason`` is a Reason's name, or empty."""

    outcome: Outcome
    usage: Usage
    duration_ms: int
    error_reason: str = ""


@dataclass(frozen=True, slots=True)
class SettledCall:
    """An attempt as the ledger tells it."""

    call_id: CallId
    payer: Payer
    model: ModelName
    start_us: int
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which settled calls: of a workspace, in [start, end), of a turn, of a conversation.

    An empty id leaves nothing out; a turn's is one turn's only within a conversation.
    """

    workspace_id: WorkspaceId
    start_us: int = 0
    end_us: int = 2**62
    turn_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A model is being asked now; ``retry_of`` names why the attempt before failed."""

    call_id: CallId
    model: ModelName
    retry_of: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer of ``model`` is complete; ``usage`` is the sum over all attempts."""

    model: ModelName
    reason: FinishReason
    usage: Usage


# A step of a generation: text to append, or what else happened.
Step: TypeAlias = str | AttemptStarted | PromptProgress | Finished
