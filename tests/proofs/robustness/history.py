"""What happened to one conversation: who saw what and when, what was promised, what is stored."""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message
from antiphon.events.v1.event_pb2 import Event, TurnState
from antiphon_client import text_of

LONG = 500


@dataclass(frozen=True, slots=True)
class Fact:
    """One durable event: its place, what it says, and a digest of its payload.

    ``position`` is that of a delta's text; ``state`` is a finished turn's.
    """

    first: int
    last: int
    kind: str
    turn_id: str = ""
    message_id: str = ""
    text: str = ""
    position: int = 0
    by_assistant: bool = False
    author: str = ""
    state: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A fact, and when it was seen (seconds of the monotonic clock)."""

    at: float
    fact: Fact


class Reset(NamedTuple):
    """A reader was told that history is gone: after so many facts, what is left, and when."""

    seen: int
    earliest: int
    at: float = math.inf


@dataclass(frozen=True, slots=True)
class Asked:
    """What an old cursor was asked for by: the way, and the log's end as known before."""

    way: str
    head: int


@dataclass(frozen=True, slots=True)
class Head:
    """A log's bounds as GetHead gave them, and when it was asked and had answered."""

    asked: float
    told: float
    earliest: int
    last: int


@dataclass(slots=True)
class Reader:
    """Somebody who follows the log from after the offset ``after``; None if not known.

    ``told`` is the text of answers as the client handed it out, by turn. ``resets`` are
    the places where the server said that history was gone. ``faults`` is what the streams
    said against their own rules; ``ended`` are the turns whose end was seen, and their
    states. ``asked`` is with readers of one old cursor only.
    """

    name: str
    after: int | None = 0
    seen: list[Seen] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    resets: list[Reset] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    lasts: bool = False
    asked: Asked | None = None

    def lost(self, earliest: int) -> None:
        """Write down that history before this place is gone."""
        self.resets.append(Reset(len(self.seen), earliest, time.monotonic()))

    def note(self, event: Event) -> None:
        """Write down what was seen, unless it is ephemeral."""
        if not event.ephemeral:
            fact = fact_of(event)
            self.seen.append(Seen(time.monotonic(), fact))
            if fact.kind == "turn_finished":
                self.ended[fact.turn_id] = fact.state

    @property
    def end(self) -> int:
        """The last place that was seen, or said to be gone; 0 before the first."""
        seen = self.seen[-1].fact.last if self.seen else 0
        return max(seen, self.resets[-1].earliest - 1 if self.resets else 0)

    @property
    def facts(self) -> list[Fact]:
        """What was seen, in the order in which it came."""
        return [seen.fact for seen in self.seen]


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as ListMessages gives it."""

    text: str
    turn_id: str = ""
    by_assistant: bool = False
    author: str = ""


@dataclass(slots=True)
class Sent:
    """Something said, noted before it is sent; each has a text of its own.

    ``tries`` are when it was sent (seconds of the monotonic clock), ``answers`` when it was
    accepted, and as which message: None where the answer does not say, empty if nothing
    was to be stored.
    """

    text: str
    author: str = ""
    turn_id: str = ""
    request_id: str = ""
    tries: list[float] = field(default_factory=list)
    answers: list[tuple[float, str | None]] = field(default_factory=list)

    def tried(self) -> None:
        """Note that it is sent, once more."""
        self.tries.append(time.monotonic())

    def answered(self, message_id: str | None = None) -> None:
        """Note an answer."""
        self.answers.append((time.monotonic(), message_id))


@dataclass(frozen=True, slots=True)
class Stop:
    """An answered CancelTurn: the turn's state in the answer, the log's end after it.

    ``early``: it was stopped before it came; its end is written when it comes. ``at`` is
    when the answer was there (seconds of the monotonic clock).
    """

    turn_id: str
    state: str
    head: int
    early: bool = False
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What ``call`` said of a turn whose end, in the state ``seen``, had been seen before."""

    turn_id: str
    seen: str
    call: str
    state: str


@dataclass(frozen=True, slots=True)
class Call:
    """An entry of the ledger."""

    turn_id: str
    outcome: str
    input_tokens: int
    output_tokens: int
    estimated: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """A request that the model's endpoint got. ``whole``: it was answered to the end.

    ``usage`` is what a whole answer reported; ``sent_bytes`` is how much text went out,
    ``prompt_bytes`` how much came in. ``received`` and ``over`` are when it came, and when
    it was answered or aborted (seconds of the monotonic clock); None if it never was.
    """

    turn_id: str
    whole: bool
    usage: tuple[int, int]
    sent_bytes: int
    prompt_bytes: int = 0
    received: float = 0.0
    over: float | None = 0.0


@dataclass(slots=True)
class History:
    """One conversation. ``log``, ``messages`` and ``turns`` are as they were read at the end.

    ``sent`` is all that was said, None where that is not noted; ``author`` is who says it.
    ``accepted_messages`` and ``accepted_turns`` are ids whose post was answered, ``stops``
    the answered cancels, ``told`` what was said of turns after their end. ``deaths`` are
    when the server was ended. ``calls`` are the ledger's entries; ``total`` and ``added`` are its
    workspace's tokens (input, output) as summed by the server and by us; ``served`` is the
    endpoint's truth, None where that is not looked at. ``earliest`` is the first place that
    the log still has; ``heads`` are its bounds over the time, sampled, and ``retention_s``
    is how long everything has to stay, None for ever.
    """

    readers: list[Reader] = field(default_factory=list)
    author: str = ""
    sent: list[Sent] | None = None
    accepted_messages: list[str] = field(default_factory=list)
    accepted_turns: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    deaths: list[tuple[float, float]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    served: list[Served] | None = None
    total: tuple[int, int] = (0, 0)
    added: tuple[int, int] = (0, 0)
    earliest: int = 1
    heads: list[Head] = field(default_factory=list)
    retention_s: float | None = None
    log: Sequence[Fact] = ()
    messages: Sequence[tuple[str, Stored]] = ()
    turns: dict[str, str] = field(default_factory=dict)

    def reader(self, name: str, after: int | None = 0, *, lasts: bool = False) -> Reader:
        """Add somebody who follows; one that ``lasts`` is to see the log to its end."""
        reader = Reader(name, after, lasts=lasts)
        self.readers.append(reader)
        return reader

    def say(self, text: str, *, turn_id: str = "", request_id: str = "") -> Sent:
        """Note what is about to be sent."""
        sent = Sent(gist(text), self.author, turn_id, request_id)
        if self.sent is not None:
            self.sent.append(sent)
        return sent


def fact_of(event: Event) -> Fact:
    """What a durable event says."""
    kind = event.WhichOneof("payload") or ""
    payload = getattr(event, kind).SerializeToString(deterministic=True)
    more: dict[str, object] = {"digest": hashlib.sha256(payload).hexdigest()[:16]}
    if kind == "text_delta_appended":
        delta = event.text_delta_appended
        more |= {"message_id": delta.message_id, "text": delta.text, "position": delta.position}
    elif kind == "message_posted":
        more |= _message(event.message_posted.message)
    elif kind == "turn_finished":
        more |= {"state": state_name(event.turn_finished.state)}
    return Fact(event.first_offset, event.last_offset, kind, event.turn_id, **more)  # type: ignore[arg-type]


def _message(message: Message) -> dict[str, object]:
    stored = stored_of(message)
    return {
        "message_id": message.message_id,
        "text": stored.text,
        "by_assistant": stored.by_assistant,
        "author": stored.author,
    }


def stored_of(message: Message) -> Stored:
    """What a stored message says; of what people say, the gist."""
    text, by_assistant = text_of(message.parts), message.role == MESSAGE_ROLE_ASSISTANT
    return Stored(
        text if by_assistant else gist(text), message.turn_id, by_assistant, message.author
    )


def gist(text: str) -> str:
    """A text, or the beginning and the digest of a long one: histories hold many."""
    if len(text) <= LONG:
        return text
    return f"{text[:LONG]} … {hashlib.sha256(text.encode()).hexdigest()}"


def state_name(state: TurnState.ValueType) -> str:
    """A turn's state in a word, such as SUCCEEDED."""
    return TurnState.Name(state).removeprefix("TURN_STATE_")
