"""The dispatcher's own types."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import ClassVar, NewType, TypeAlias

from antiphon_server.dispatcher.handoff_model import Handoff, HandoffStep, PastHandoff
from antiphon_server.dispatcher.routed_model import Asks, Chosen, Routed
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.errors import DomainError

TurnId = NewType("TurnId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
ToolCallId = NewType("ToolCallId", str)
QuestionId = NewType("QuestionId", str)


class State(OpenIntEnum):
    """The state of a turn. Values are those of the contract's TurnState.

    A state that this version does not know counts as an end.
    """

    ACCEPTED = 1
    QUEUED = 2
    RUNNING = 3
    SUCCEEDED = 4
    FAILED = 5
    CANCELLED = 6
    EXPIRED = 7

    @property
    def ended(self) -> bool:
        """Whether it is a final state."""
        return self >= State.SUCCEEDED


class Policy(OpenIntEnum):
    """How a new turn treats running turns. Values are those of the contract's TurnPolicy.

    A policy that this version does not know is treated as QUEUE.
    """

    UNSPECIFIED = 0
    QUEUE = 1
    REJECT = 2
    INTERRUPT = 3
    ROLLBACK = 4
    PARALLEL = 5


class LossPolicy(IntEnum):
    """What becomes of a turn whose node died; the values are the contract's LossPolicy."""

    RESUME = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn's model calls consumed; ``cost_micros`` is None if a price is unknown.

    What is counted has the names of the contract's fields (:data:`COUNTED`).
    """

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False
    currency: str = "USD"
    cost_micros: int | None = None
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    cached_audio_tokens: int = 0

    def plus(self, other: "Usage") -> "Usage":
        """Both together; the cost is unknown if one of them is."""
        costs = self.cost_micros, other.cost_micros
        counts = {name: getattr(self, name) + getattr(other, name) for name in COUNTED}
        return replace(
            other,
            estimated=self.estimated or other.estimated,
            cost_micros=None if None in costs else sum(filter(None, costs)),
            **counts,
        )


COUNTED = tuple([field.name for field in fields(Usage) if field.name.endswith("_tokens")])


@dataclass(frozen=True, slots=True)
class Parent:
    """The turn that asked for another one: who works on it, and how deep that one is, from 1."""

    turn_id: TurnId
    handler: str
    depth: int


PEOPLE = "people"
"""The handler that has people answer: no program's name."""


@dataclass(frozen=True, slots=True)
class Held:
    """Why people look at a turn before its ``handler`` does; without a reason they need not."""

    reason: str = ""
    handler: str = ""


NOT_HELD = Held()


@dataclass(frozen=True, slots=True)
class Order:
    """The request that creates a turn. ``content`` holds the message's parts, type and metadata,
    serialized.

    ``kinds`` are those of its parts that are no text; they count when it comes, and are not stored.
    ``parent`` is the turn that asked for it, if none of its users did. ``route`` is why it has its
    handler (a RouteDecision, serialised), if its caller named none and routes stand; ``fallback``
    is who has it if that one vanishes. ``held`` is why people have to look at it first. ``asks`` is
    what its asker may choose before a handler begins.
    """

    content: bytes
    handler: str
    policy: Policy
    models: tuple[str, ...] = ()
    max_output_tokens: int = 0
    time_limit_s: float = 600.0
    kinds: frozenset[str] = field(default=frozenset(), compare=False)
    parent: Parent | None = None
    route: bytes = b""
    fallback: Routed | None = None
    held: Held = NOT_HELD
    asks: Asks | None = None

    def routed(self, found: Routed) -> "Order":
        """The order as whom routes have found has it."""
        return replace(
            self,
            handler=found.handler,
            route=found.decision,
            fallback=found.fallback,
            asks=found.asks,
        )

    def chosen(self, chosen: Chosen) -> "Order":
        """The order as the one has it whom its asker has chosen."""
        if self.asks is None:
            return self
        offered = (it.routed for it in self.asks.offers)
        wanted = (it for it in offered if it.handler == chosen.handler)
        return self.routed(next(wanted, self.asks.otherwise))

    @property
    def waits_for_people(self) -> bool:
        """Whether a filter holds it, and nobody has given it to a handler yet."""
        return bool(self.held.reason) and self.handler == PEOPLE

    def to_people(self) -> "Order":
        """The order as people have it first, who give it to whom it was for."""
        held = replace(self.held, handler=self.handler)
        return replace(self, handler=PEOPLE, route=b"", fallback=None, held=held, asks=None)

    def fallen_back(self) -> "Order":
        """The order as its fallback has it, if there is one."""
        if (it := self.fallback) is None:
            return self
        return self.routed(it)


@dataclass(frozen=True, slots=True)
class SkippedModel:
    """One that did not answer: the reason's name, and what it does not take if that is why."""

    model: str
    error_reason: str
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What an answer is given without, and by which model it is not given.

    ``omitted`` is the number of older messages that were left out of the prompt, ``described`` that
    of parts which the model was told of in words, ``withheld`` that of tools which it was not,
    ``texts`` that of texts beside the messages, as the whiteboard, which had no room.
    """

    omitted: int = 0
    described: int = 0
    withheld: int = 0
    skipped: tuple[SkippedModel, ...] = ()
    texts: int = 0


NOTHING_LEFT_OUT = LeftOut()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended; ``finish_reason`` is the contract's number.

    ``output_limit`` is the limit of tokens that cut the answer off, if it was not the model's own.
    ``answered_by`` is the person who answered in a handler's place, ``beside`` whether the answer
    is a message of its own behind what the handler had said.
    """

    state: State
    error: DomainError | None = None
    usage: Usage | None = None
    model: str = ""
    rolled_back: bool = False
    finish_reason: int = 0
    left_out: LeftOut = NOTHING_LEFT_OUT
    output_limit: int = 0
    answered_by: str = ""
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as stored. Times are microseconds since the epoch, UTC; 0 means not yet.

    ``digest`` identifies the request that created it. ``at_once`` says that it started in the same
    commit that accepted it. ``cursor`` is the log position just before its first event, or ""
    until that is known to be committed. ``cancel_requested`` tells a server that takes the turn
    over to cancel it. ``api_keys`` are those that it was asked for with, as the
    principal has them. ``fell_back``: the handler that was chosen first vanished, and ``order`` is
    that of its fallback. ``returned`` names the hand-off by which people gave it to a handler, and
    that one, who is ``order``'s then. ``chosen`` is what came of asking who shall have it, and
    ``order`` that one's then. ``handoff`` is why it waits for people, ``filtered`` that
    filters may look at its answer, and ``seen`` that its creator watched when it ended; none of
    them is stored.
    """

    turn_id: TurnId
    conversation_id: ConversationId
    creator: str
    created_us: int
    digest: bytes
    order: Order
    workspace_id: str = ""
    state: State = State.ACCEPTED
    attempt: int = 0
    at_once: bool = False
    started_us: int = 0
    ended_us: int = 0
    has_reply: bool = False
    outcome: Outcome | None = None
    node: str = ""
    lease_until_us: int = 0
    cursor: str = ""
    cancel_requested: bool = False
    api_keys: tuple[str, ...] = ()
    fell_back: bool = False
    filtered: bool = field(default=True, compare=False)
    returned: str = ""
    chosen: Chosen | None = None
    handoff: Handoff | None = field(default=None, compare=False)
    seen: bool = field(default=False, compare=False)

    @property
    def user_id(self) -> str:
        """Whose turn it is; "" of one that a service has made."""
        kind, _, name = self.creator.partition("/")
        return name if kind == "users" else ""

    @property
    def asker(self) -> str:
        """Who asked for it, as events name them."""
        return f"handlers/{self.order.parent.handler}" if self.order.parent else self.creator

    @property
    def message_id(self) -> MessageId:
        """The id of the message that started the turn; the same on every attempt."""
        return MessageId(f"msg_{self.turn_id.removeprefix('turn_')}_q")

    @property
    def reply_id(self) -> MessageId:
        """The id of the answer; the same on every attempt."""
        return MessageId(f"msg_{self.turn_id.removeprefix('turn_')}_a")

    @property
    def beside_id(self) -> MessageId:
        """The id of an answer behind what a handler had said, where people gave it."""
        return MessageId(f"msg_{self.turn_id.removeprefix('turn_')}_p")

    @property
    def answer_id(self) -> MessageId:
        """The id of the answer of a turn that has one."""
        is_beside = self.outcome is not None and self.outcome.beside
        return self.beside_id if is_beside else self.reply_id

    @property
    def times_returned(self) -> int:
        """Which of its hand-offs, from 1 on, people ended by giving it to a handler; 0: none."""
        handoff_id = self.returned.partition(" ")[0]
        return int(handoff_id.rpartition("_")[2]) if handoff_id else 0

    def given_to(self, past: PastHandoff) -> "Turn":
        """The turn as the handler has it that goes on by the end of its hand-off."""
        returned = f"{past.handoff.handoff_id} {past.goes_to}"
        order = replace(self.order, handler=past.goes_to, fallback=None, asks=None)
        return replace(self, returned=returned, order=order)

    def is_to_be_given(self, past: PastHandoff) -> bool:
        """Whether people gave it to a handler by that hand-off who has not begun."""
        return bool(past.goes_to) and self.given_to(past).returned != self.returned

    def with_choice(self, chosen: Chosen) -> "Turn":
        """The turn as the handler has it whom its asker has chosen, or who has it otherwise."""
        return replace(self, chosen=chosen, order=self.order.chosen(chosen))

    def started(self, now_us: int) -> "Turn":
        """Return the turn as it is at the start of its next attempt."""
        return replace(self, state=State.RUNNING, attempt=self.attempt + 1, started_us=now_us)

    def ended(self, outcome: Outcome, now_us: int, *, has_reply: bool) -> "Turn":
        """Return the turn as it is at its end."""
        return replace(
            self, state=outcome.state, outcome=outcome, ended_us=now_us, has_reply=has_reply
        )


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is stored of a turn that was cancelled before it came: it has no order and never runs.

    ``digest``, ``workspace_id`` and ``cursor`` are empty as long as it has not come.
    """

    turn_id: TurnId
    conversation_id: ConversationId
    creator: str
    created_us: int
    digest: bytes = b""
    workspace_id: str = ""
    cursor: str = ""
    outcome: ClassVar[Outcome] = Outcome(State.CANCELLED)
    state: ClassVar[State] = State.CANCELLED
    attempt: ClassVar[int] = 0
    has_reply: ClassVar[bool] = False
    node: ClassVar[str] = ""


StoredTurn: TypeAlias = Turn | Tombstone
"""What there is under a turn's id."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """What the dispatcher needs to know of a conversation; ``language`` is a BCP 47 tag.

    ``filtered``: filters look at what is said there. ``throttled_s`` is for how long whoever is
    about to speak there is to be refused.
    """

    conversation_id: ConversationId
    workspace_id: str
    archived: bool = False
    policy: Policy = Policy.QUEUE
    models: tuple[str, ...] = ()
    max_output_tokens: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    filtered: bool = False
    throttled_s: float = 0.0
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """A message without a named handler; ``content`` is Order.content, ``sender`` an actor.

    ``attended``: its sender waits for the answer, and may be asked.
    """

    conversation: ConversationView
    sender: str
    content: bytes
    attended: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Which server has a conversation's lane: this one, or the one at ``address``.

    ``address`` is "" of one that does not listen yet.
    """

    ours: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class HandlerInfo:
    """How a handler presents itself; ``examples`` are messages that are for it."""

    name: str
    description: str
    loss_policy: LossPolicy
    default: bool = False
    available: bool = True
    built_in: bool = True
    examples: tuple[str, ...] = ()


# What happened in a turn, in the past tense; the journal writes it into the log.


@dataclass(frozen=True, slots=True)
class MessagePosted:
    """The message that starts the turn (``content``: parts, serialised) was said."""

    content: bytes


@dataclass(frozen=True, slots=True)
class TurnAccepted:
    """The turn was stored."""


@dataclass(frozen=True, slots=True)
class TurnQueued:
    """It waits for ``ahead`` others."""

    ahead: int


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A handler works on it."""


@dataclass(frozen=True, slots=True)
class TurnProgressed:
    """The handler says how far it is; ``fraction`` is 0 to 1 or None."""

    status: str
    fraction: float | None = None
    output: int = 0


@dataclass(frozen=True, slots=True)
class TurnAssigned:
    """A worker has it; ``worker_id`` names one life of its process."""

    worker_id: str
    deployment: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class TextAppended:
    """A piece of the answer; ``position`` is the bytes of UTF-8 before it.

    ``output`` here and elsewhere is the number of the newest of a worker's outputs in it;
    ``message_id`` is that of another message than the handler's answer.
    """

    text: str
    position: int
    output: int = 0
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Child:
    """A turn that another one asks for: ``content`` holds its message's parts, serialised.

    ``kinds`` are those of its parts that are no text.
    """

    turn_id: TurnId
    handler: str
    content: bytes
    time_limit_s: float
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How one has ended, and what it had said; without an error one that failed was stopped."""

    text: str
    succeeded: bool
    error: DomainError | None = None


class CallOutcome(OpenIntEnum):
    """How a call of a tool ended; the values are the contract's ToolCallOutcome."""

    UNSPECIFIED = 0
    SUCCEEDED = 1
    FAILED = 2
    DENIED = 3
    CANCELLED = 4
    UNKNOWN = 5


CHOICE = "_choice"
"""The end of the id of a call that asks who shall have the turn, and of no other's."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for. ``step`` counts the times that the turn asked it, from 1.

    ``tool_digest`` is of the tool that a person is asked to approve of, for whoever makes the call.
    """

    call_id: ToolCallId
    tool: str
    arguments: str
    step: int = 1
    tool_digest: bytes = b""

    @property
    def digest(self) -> bytes:
        """What a decision is bound to: SHA-256 of tool, NUL, arguments."""
        return hashlib.sha256(f"{self.tool}\0{self.arguments}".encode()).digest()

    @property
    def is_choice(self) -> bool:
        """Whether it asks who shall have the turn: no handler has made it."""
        return self.call_id.endswith(CHOICE)


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A call that is to be made.

    ``asks``: a person has to approve it. ``repeatable``: if it is not known whether it was made, it
    may be made again. ``refused``: why it can't be made at all.
    """

    call: ToolCall
    asks: bool = False
    repeatable: bool = False
    refused: DomainError | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a tool returned: a message's parts, serialised. ``failed`` is the tool's own word."""

    content: bytes
    failed: bool = False
    omitted_bytes: int = 0
    kept: bool = False


class AnswerAction(OpenIntEnum):
    """What was done with a question; the values are the contract's ToolAnswerAction."""

    UNSPECIFIED = 0
    ACCEPTED = 1
    DECLINED = 2
    CANCELLED = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What a call's tool asks: ``schema`` is its answer's, ``url`` a page in place of that.

    ``asked_of`` is who alone may answer, if not everybody.
    """

    question_id: QuestionId
    message: str
    schema: str = ""
    url: str = ""
    asked_of: str = ""

    @property
    def digest(self) -> bytes:
        """What an answer is bound to: SHA-256 of id, message, schema, URL, each with a NUL."""
        told = (self.question_id, self.message, self.schema, self.url)
        return hashlib.sha256("".join(f"{it}\0" for it in told).encode()).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a question; ``content`` is a JSON object, or ""."""

    question_id: QuestionId
    action: AnswerAction
    content: str = ""


@dataclass(frozen=True, slots=True)
class CallPaused:
    """A call goes on with ``state`` when its questions are answered; nothing of it runs.

    They are put away after ``wait_s``, if that is not 0.
    """

    questions: tuple[Question, ...]
    state: bytes
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a call goes on with that had paused; a new one has neither."""

    state: bytes = b""
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCallProposed:
    """A model asked for ``call``; ``asks``: a person has to decide.

    ``position`` is the bytes of UTF-8 of the answer before it.
    """

    call: ToolCall
    asks: bool
    position: int = 0
    output: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallDecided:
    """A person decided; ``actor`` is who, ``reason`` what they said to a denial."""

    call_id: ToolCallId
    approved: bool
    actor: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """The call is made from now on."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """A call's tool asks. With ``state`` the call has paused, with this and what follows at once.

    It is put away at ``expires_us``, in microseconds since 1970, if that is not 0: so is each of
    one that is held open.
    """

    call_id: ToolCallId
    question: Question
    state: bytes = b""
    expires_us: int = 0


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """A question was answered; ``actor`` is who, "" if its time was over."""

    call_id: ToolCallId
    answer: Answer
    actor: str = ""


@dataclass(frozen=True, slots=True)
class ToolCallFinished:
    """The call has ended. ``content`` is its result: a message's parts, serialised.

    ``kept`` says that there is more of it elsewhere, by the call's id.
    """

    call_id: ToolCallId
    outcome: CallOutcome
    content: bytes = b""
    error: DomainError | None = None
    omitted_bytes: int = 0
    duration_ms: int = 0
    kept: bool = False
    output: int = 0


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """What the log has of a question."""

    asked: QuestionAsked
    answered: QuestionAnswered | None = None

    @property
    def question_id(self) -> QuestionId:
        """The question's id."""
        return self.asked.question.question_id


@dataclass(frozen=True, slots=True)
class PastCall:
    """What the log has of a call; ``text_before`` is the answer's characters before it.

    ``pause`` is what it goes on with behind the last of its pauses.
    """

    call: ToolCall
    asks: bool = False
    text_before: int = 0
    decided: ToolCallDecided | None = None
    started: bool = False
    finished: ToolCallFinished | None = None
    pause: CallPaused | None = None
    questions: tuple[PastQuestion, ...] = ()

    @property
    def paused(self) -> bool:
        """Whether nothing of it runs until its questions are answered."""
        return self.pause is not None and not self.started

    def question(self, question_id: QuestionId) -> PastQuestion | None:
        """The question; None if its tool has not asked that."""
        return next((it for it in self.questions if it.question_id == question_id), None)


@dataclass(frozen=True, slots=True)
class ReplyPosted:
    """The whole answer, as delivered; ``author`` is a person who gave it in a handler's place.

    ``message_id`` is that of another message than the handler's answer.
    """

    text: str
    truncated: bool
    author: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The turn has ended."""

    outcome: Outcome
    has_reply: bool


CallStep: TypeAlias = (
    ToolCallProposed
    | ToolCallDecided
    | ToolCallStarted
    | QuestionAsked
    | QuestionAnswered
    | ToolCallFinished
)
Step = (
    MessagePosted
    | TurnAccepted
    | TurnQueued
    | TurnStarted
    | TurnAssigned
    | TurnProgressed
    | TextAppended
    | CallStep
    | HandoffStep
    | ReplyPosted
    | TurnFinished
)


def output_of(step: Step) -> int:
    """The newest number of a worker's outputs in a step; 0 if it holds none."""
    match step:
        case TextAppended() | TurnProgressed() | ToolCallProposed() | ToolCallFinished():
            return step.output
        case _:
            return 0


GAP = "\n\n"
"""Between what one handler has said and the next one."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the log has of a turn: its committed text, its calls, and its end if it has one.

    ``assigned`` is the worker that had it last, ``output`` the newest number of its outputs,
    ``handoff`` the newest one; what it is answered with is no part of ``text``.
    """

    text: str = ""
    finished: TurnFinished | None = field(default=None)
    calls: tuple[PastCall, ...] = ()
    assigned: TurnAssigned | None = None
    output: int = 0
    handoff: PastHandoff | None = None

    @property
    def stands_at_calls(self) -> bool:
        """Whether nothing was said behind its newest calls: going on there contradicts nothing."""
        own = self.own_calls
        return bool(own) and self.text[own[-1].text_before :] in ("", GAP)

    @property
    def own_calls(self) -> tuple[PastCall, ...]:
        """Those that handlers have made."""
        return tuple([it for it in self.calls if not it.call.is_choice])

    @property
    def is_untouched(self) -> bool:
        """Whether no handler has said or done anything, as far as is known."""
        return not self.text and not self.own_calls and self.assigned is None
