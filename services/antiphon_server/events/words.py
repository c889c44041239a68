"""What nodes that share a store say to each other in a log of their own.

A word is a line of JSON; what the log adds to an event stands behind it.
"""

from collections.abc import Sequence

import msgspec

from antiphon_server.events.model import NODES, Append, NewEvent, Record
from antiphon_server.runtime.principal import SessionId, UserId

_KIND = 0


class Changed(msgspec.Struct, frozen=True, tag="changed", omit_defaults=True):
    """Somebody's access has changed."""

    user_id: UserId | None = None
    session_id: SessionId | None = None


Word = Changed

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Word).decode


def said_to_nodes(words: Sequence[Word], time_us: int) -> Append:
    """The append that says ``words``."""
    events = [NewEvent(_KIND, "", _encode(word) + b"\n") for word in words]
    return Append(NODES, events, time_us)


def word_of(record: Record) -> Word | None:
    """Read a word back; None for one that this version does not know."""
    try:
        return _decode(record.wire.partition(b"\n")[0])
    except msgspec.ValidationError:
        return None
