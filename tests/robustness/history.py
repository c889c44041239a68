"""What happened to one conversation: who saw what and when, what was promised, what is stored."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message
from antiphon.events.v1.event_pb2 import Event, TurnState
from antiphon_client import text_of


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
    state: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A fact, and when it was seen (seconds of the monotonic clock)."""

    at: float
    fact: Fact


@dataclass(slots=True)
class Reader:
    """Somebody who follows the log from after the offset ``after``; None if not known.

    ``told`` is the text of answers as the client handed it out, by turn.
    """

    name: str
    after: int | None = 0
    seen: list[Seen] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> list[Fact]:
        """What was seen, in the order in which it came."""
        return [seen.fact for seen in self.seen]


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as ListMessages gives it."""

    text: str
    turn_id: str = ""


@dataclass(slots=True)
class History:
    """One conversation. ``log``, ``messages`` and ``turns`` are as they were read at the end.

    ``accepted_messages`` and ``accepted_turns`` are ids whose post was answered.
    """

    readers: list[Reader] = field(default_factory=list)
    accepted_messages: list[str] = field(default_factory=list)
    accepted_turns: list[str] = field(default_factory=list)
    log: Sequence[Fact] = ()
    messages: Sequence[tuple[str, Stored]] = ()
    turns: dict[str, str] = field(default_factory=dict)

    def reader(self, name: str, after: int | None = 0) -> Reader:
        """Add somebody who follows."""
        reader = Reader(name, after)
        self.readers.append(reader)
        return reader


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
    return {
        "message_id": message.message_id,
        "text": text_of(message.parts),
        "by_assistant": message.role == MESSAGE_ROLE_ASSISTANT,
    }


def state_name(state: TurnState.ValueType) -> str:
    """A turn's state in a word, such as SUCCEEDED."""
    return TurnState.Name(state).removeprefix("TURN_STATE_")
