"""Who workers are, what they say, and what they are told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NewType, TypeAlias

from antiphon_server.dispatcher.handling import HandoffOrder, LossPolicy, Turn, TurnId, Usage
from antiphon_server.runtime.errors import DomainError
from antiphon_server.workers.model import Release

WorkerId = NewType("WorkerId", str)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Offer:
    """A handler that a worker serves. ``takes`` are the kinds of parts it takes beside text.

    ``examples`` are messages that are for it.
    """

    name: str
    description: str = ""
    loss_policy: LossPolicy = LossPolicy.RESUME
    takes: frozenset[str] = frozenset()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A turn that a worker works on still when it comes back."""

    turn_id: TurnId
    conversation_id: str
    fence: int


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who a worker is, as it says; ``user_id`` is whose token it came with."""

    worker_id: WorkerId
    user_id: str
    deployment: str
    version: str
    offers: tuple[Offer, ...]
    slots: int
    held: tuple[Held, ...] = ()
    library: str = ""

    @property
    def release(self) -> Release:
        """Of what it is which version."""
        return Release(self.deployment, self.version)


# What a worker says of a turn.


@dataclass(frozen=True, slots=True)
class Accepted:
    """It works on it."""


@dataclass(frozen=True, slots=True)
class Declined:
    """It gives it back."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of the answer."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far it is."""

    number: int
    status: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class CallBegun:
    """It calls a tool of its own."""

    number: int
    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A tool of its own has returned ``content``: a message's parts, serialised."""

    number: int
    begun: int
    content: bytes
    failed: bool = False


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """It asks people."""

    number: int
    message: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class AskedCalls:
    """It has tools called: (tool, arguments) each."""

    number: int
    calls: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AskedTurn:
    """Another handler is to work on ``content``: a message's parts, serialised.

    ``time_limit_s`` is 0 for what is left to the turn that asks; ``kinds`` are those of the parts
    that are no text.
    """

    handler: str
    content: bytes
    text: str
    time_limit_s: float = 0.0
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AskedTurns:
    """It has others work."""

    number: int
    turns: tuple[AskedTurn, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn ends; ``outputs`` is the number of the last one, ``failure`` why it failed.

    With ``hand_off`` it is people's from now on.
    """

    outputs: int
    failure: str = ""
    usage: Usage | None = None
    model: str = ""
    hand_off: HandoffOrder | None = None


Output: TypeAlias = Written | Progressed | CallBegun | CallEnded
Asked: TypeAlias = AskedQuestion | AskedCalls | AskedTurns
Said: TypeAlias = Output | Accepted | Declined | Asked | Finished


# What a worker is told.


@dataclass(frozen=True, slots=True)
class Welcome:
    """It is taken on, but for the handlers that it may not serve."""

    refused: tuple[str, ...] = ()


class Revocation(IntEnum):
    """Why a turn is taken away; the values are the contract's RevokeReason."""

    FENCED = 1
    LEASE = 2
    NOT_ACCEPTED = 3
    REMOVED = 4
    ENDED = 5


@dataclass(frozen=True, slots=True)
class Assign:
    """The turn is the worker's, by the turn's attempt.

    ``stored`` is the number of its newest output in the log, ``held`` whether it goes on with it,
    ``left`` what is left of budgets: messages, serialised.
    """

    turn: Turn
    text: str
    stored: int
    held: bool
    grant: str
    deadline_us: int
    traceparent: str = ""
    left: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """Outputs up to ``stored`` are in the log; with ``finished`` the turn's end is."""

    turn_id: TurnId
    fence: int
    stored: int
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody stopped it."""

    turn_id: TurnId
    fence: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """It is the worker's no more."""

    turn_id: TurnId
    fence: int
    reason: Revocation


@dataclass(frozen=True, slots=True)
class Beat:
    """These leases were renewed."""

    turn_ids: Collection[TurnId]


@dataclass(frozen=True, slots=True)
class Answered:
    """What people said to a question, as JSON of ``action`` and ``content``."""

    turn_id: TurnId
    fence: int
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How an asked call ended; ``content`` is a message's parts, serialised."""

    call_id: str
    content: bytes
    failed: bool
    error: DomainError | None = None
    omitted_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CallsEnded:
    """What came of asked calls."""

    turn_id: TurnId
    fence: int
    number: int
    ends: tuple[CallEnd, ...]


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How an asked turn ended; ``turn_id`` is "" of one that was not begun."""

    turn_id: str
    text: str
    failed: bool
    error: DomainError | None = None
    omitted_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TurnsEnded:
    """What came of asked turns."""

    turn_id: TurnId
    fence: int
    number: int
    ends: tuple[TurnEnd, ...]


@dataclass(frozen=True, slots=True)
class Draining:
    """The server is about to end the stream."""

    reconnect_after_s: float


@dataclass(frozen=True, slots=True)
class Passed:
    """What another server has it told: a frame of the contract, as it is.

    ``acked`` is the turn of which it acknowledges outputs, ``over`` the one that ends by it.
    """

    frame: object
    acked: TurnId | None = None
    over: TurnId | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame was not taken."""

    error: DomainError
    turn_id: str = ""
    number: int = 0


Told: TypeAlias = (
    Welcome
    | Assign
    | Ack
    | Cancel
    | Revoke
    | Beat
    | Answered
    | CallsEnded
    | TurnsEnded
    | Draining
    | Passed
    | Rejected
)


class Standing(IntEnum):
    """What becomes of turns that a worker could have; the values are the contract's."""

    READY = 1
    BUSY = 2
    DRAINING = 3
    QUARANTINED = 4


@dataclass(frozen=True, slots=True)
class Want:
    """What a turn needs: a worker that serves ``handler`` for ``parent``, none of ``shunned``.

    ``preferred`` is the one that knows the conversation; ``only_preferred``: nobody else will do.
    ``began`` is what the turn was begun with, None if it was not; ``given_back`` says that the last
    worker that had it gave it back.
    """

    turn_id: TurnId
    handler: str
    parent: str
    shunned: frozenset[WorkerId] = field(default=frozenset())
    preferred: WorkerId | None = None
    only_preferred: bool = False
    conversation_id: str = ""
    began: Release | None = None
    given_back: bool = False
