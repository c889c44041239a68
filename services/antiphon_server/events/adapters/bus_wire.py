"""What goes over the bus: one message for all that was committed meanwhile, in MessagePack.

Before it stands its code of authentication (HMAC-SHA-256, RFC 2104): whoever else can publish
where nodes listen does not speak as one.
"""

import hmac
import time
from collections.abc import Sequence

import msgspec

from antiphon_server.events.model import Commit, Epoch, Offset, Record, Scope

CARRIED_BYTES = 64 << 10
"""Larger events are told of, and read from the store."""


class WireRecord(msgspec.Struct, frozen=True, array_like=True):
    """A record."""

    first: Offset
    last: Offset
    kind: int
    wire: bytes


class WireCommit(msgspec.Struct, frozen=True, array_like=True):
    """A commit."""

    scope: Scope
    epoch: Epoch
    last: Offset
    records: Sequence[WireRecord]


class Saying(msgspec.Struct, frozen=True, array_like=True):
    """Something ephemeral."""

    scope: Scope
    body: bytes


class Message(msgspec.Struct, frozen=True, array_like=True):
    """What a node says; ``number`` counts its messages, so that a lost one is missed.

    ``at`` is when, by the node's clock: an old one is not heard again of a node that is gone.
    """

    node: str
    number: int
    commits: Sequence[WireCommit] = ()
    sayings: Sequence[Saying] = ()
    at: float = msgspec.field(default_factory=time.time)


_CODE = "sha256"
_CODE_BYTES = 32
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


class Forged(Exception):
    """A message of somebody without the key."""


def encode(message: Message, key: bytes) -> bytes:
    """The message as it is sent by those who have the key."""
    body = _encode(message)
    return hmac.digest(key, body, _CODE) + body


def decode(data: bytes, key: bytes) -> Message:
    """Read a message. Raises Forged, or msgspec.MsgspecError for one of a version to come."""
    code, body = data[:_CODE_BYTES], data[_CODE_BYTES:]
    if not hmac.compare_digest(code, hmac.digest(key, body, _CODE)):
        raise Forged
    return _decode(body)


def wire_commit(commit: Commit) -> tuple[WireCommit, int]:
    """The commit as it is sent, and about how many bytes that is."""
    size = sum(len(record.wire) for record in commit.records)
    carried = commit.records if size <= CARRIED_BYTES else ()
    records = [WireRecord(it.first, it.last, it.kind, it.wire) for it in carried]
    sent = WireCommit(commit.scope, commit.epoch, commit.last, records)
    return sent, 100 + (size + 20 * len(records) if records else 0)


def commit_of(sent: WireCommit) -> Commit:
    """The commit that was sent."""
    records = [Record(it.first, it.last, it.kind, it.wire) for it in sent.records]
    return Commit(sent.scope, sent.epoch, sent.last, records)
