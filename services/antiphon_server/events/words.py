"""What nodes that share a store say to each other in a log of their own.

A word is a line of JSON; what the log adds to an event stands behind it.
"""

from collections.abc import Iterable

import msgspec

from antiphon_server.events.model import NewEvent, Record
from antiphon_server.runtime.access.principal import SessionId, UserId

_KIND = 0


class Changed(msgspec.Struct, frozen=True, tag="changed", omit_defaults=True):
    """Somebody's access has changed."""

    user_id: UserId | None = None
    session_id: SessionId | None = None


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """Whoever holds a stream is asked to do something with it."""

    question: str
    call: bytes


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """It was done."""

    question: str


Word = Changed | Asked | Answered

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Word).decode


def events_of(words: Iterable[Word]) -> list[NewEvent]:
    """The events that say ``words``."""
    return [NewEvent(_KIND, "", _encode(word) + b"\n") for word in words]


def word_of(record: Record) -> Word | None:
    """Read a word back; None for one that this version does not know, and for what is none."""
    try:
        word: Word = _decode(record.wire.partition(b"\n")[0])
    except msgspec.MsgspecError:
        return None
    return word
