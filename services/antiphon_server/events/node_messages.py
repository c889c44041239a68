"""What nodes that share a store say to each other in a log of their own.

A message is a line of JSON; what the log adds to an event stands behind it.
"""

from collections.abc import Iterable

import msgspec

from antiphon_server.events.model import NewEvent, Record
from antiphon_server.runtime.access.principal import SessionId, UserId

_KIND = 0


class AccessChanged(msgspec.Struct, frozen=True, tag="changed", omit_defaults=True):
    """Somebody's access has changed."""

    user_id: UserId | None = None
    session_id: SessionId | None = None


class StreamRequest(msgspec.Struct, frozen=True, tag="asked"):
    """Whoever holds a stream is asked to do something with it."""

    question: str
    call: bytes


class StreamReply(msgspec.Struct, frozen=True, tag="answered"):
    """It was done."""

    question: str


NodeMessage = AccessChanged | StreamRequest | StreamReply

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(NodeMessage).decode


def events_of(messages: Iterable[NodeMessage]) -> list[NewEvent]:
    """The events that carry ``messages``."""
    return [NewEvent(_KIND, "", _encode(message) + b"\n") for message in messages]


def node_message_of(record: Record) -> NodeMessage | None:
    """Read a message back; None for one that this version does not know, and for what is none."""
    try:
        message: NodeMessage = _decode(record.wire.partition(b"\n")[0])
    except msgspec.MsgspecError:
        return None
    return message
