"""A memory of others: the contract's messages <-> memory's own types."""

import re

from antiphon.memory.v1 import external_memory_pb2, memory_pb2
from antiphon.memory.v1 import external_memory_service_pb2 as pb
from antiphon_server.memory.external.model import (
    MOST_CHANGES,
    MOST_HITS,
    Answered,
    Change,
    Described,
    Hit,
    Question,
    Status,
)
from antiphon_server.memory.remembered import Memory

_STORE = re.compile(r"[0-9A-Za-z_.:-]{1,64}")


def described_of(message: pb.ExternalMemoryServiceDescribeResponse) -> Described | None:
    """What it says of itself; None if that is not what the contract has."""
    if not _STORE.fullmatch(message.store_id):
        return None
    return Described(
        message.store_id,
        _within(message.max_changes, MOST_CHANGES),
        _within(message.max_hits, MOST_HITS),
    )


def change_message(change: Change) -> pb.ExternalMemoryChange:
    """What it is told."""
    message = pb.ExternalMemoryChange(
        memory_id=change.memory_id, scope=change.scope, revision=change.revision
    )
    if change.memory is None:
        message.forgotten.SetInParent()
    else:
        message.put.CopyFrom(_put(change.memory))
    return message


def question_message(question: Question) -> pb.ExternalMemoryServiceSearchRequest:
    """What it is asked."""
    message = pb.ExternalMemoryServiceSearchRequest(
        query=question.query,
        scopes=question.scopes,
        limit=question.limit,
        kinds=[memory_pb2.MemoryKind.ValueType(it) for it in question.kinds],
    )
    if question.not_before_us:
        message.not_before.FromMicroseconds(question.not_before_us)
    if question.before_us:
        message.before.FromMicroseconds(question.before_us)
    return message


def hit_of(message: pb.ExternalMemoryHit) -> Hit:
    """What it found."""
    return Hit(message.memory_id, message.text)


def status_message(status: Status) -> external_memory_pb2.ExternalMemoryStatus:
    """How it is."""
    waiting = status.waiting
    message = external_memory_pb2.ExternalMemoryStatus(
        connection=status.connection,
        kind=status.kind,
        answers=status.answers,
        store_id=status.store_id,
        waiting_changes=waiting.changes,
        unconfirmed_forgets=waiting.unconfirmed,
        error_reason=status.error_reason,
        searches=status.searches,
        dropped_hits=status.dropped,
        altered_hits=status.altered,
        refused_changes=status.passed_over,
    )
    if waiting.oldest_us:
        message.oldest_unconfirmed_time.FromMicroseconds(waiting.oldest_us)
    if status.told_us:
        message.told_time.FromMicroseconds(status.told_us)
    return message


def answered_value(answered: Answered) -> external_memory_pb2.ExternalMemoryAnswer.ValueType:
    """What came of asking it."""
    return external_memory_pb2.ExternalMemoryAnswer.ValueType(answered)


def _put(memory: Memory) -> pb.ExternalMemory:
    put = pb.ExternalMemory(
        text=memory.text,
        kind=memory_pb2.MemoryKind.ValueType(memory.kind),
        subject=memory.subject,
        entities=memory.entities,
        importance=memory.importance,
    )
    put.create_time.FromMicroseconds(memory.create_us)
    if memory.valid_from_us is not None:
        put.valid_from.FromMicroseconds(memory.valid_from_us)
    if memory.valid_until_us is not None:
        put.valid_until.FromMicroseconds(memory.valid_until_us)
    return put


def _within(said: int, most: int) -> int:
    return said if 0 < said < most else most
