"""What goes over the bus: one message for all that was committed meanwhile, in MessagePack."""

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
    """What a node says; ``number`` counts its messages, so that a lost one is missed."""

    node: str
    number: int
    commits: Sequence[WireCommit] = ()
    sayings: Sequence[Saying] = ()


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Message).decode


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
