"""The contract's memories <-> memory's own types."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message

from antiphon.memory.v1 import memory_pb2 as pb
from antiphon.memory.v1 import memory_service_pb2 as service_pb
from antiphon_server.memory.memories.remembering import Exported
from antiphon_server.memory.model import ConversationId, MessageId
from antiphon_server.memory.remembered import (
    USUAL_IMPORTANCE,
    Kind,
    ListWish,
    Memory,
    Origin,
    Request,
    Source,
    State,
)
from antiphon_server.runtime.rpc.times import micros_of, timestamp

_TIMES: Mapping[str, str] = {
    "valid_from": "valid_from_us",
    "valid_until": "valid_until_us",
    "expire_time": "expire_us",
}
MASKED = ("kind", "text", "subject", "entities", "importance", *_TIMES)
"""The fields that can be corrected."""


def memory_of(message: pb.Memory) -> Memory:
    """Decode a memory. Raises DomainError INVALID_ARGUMENT for a time that is none."""
    return Memory(
        memory_id=message.memory_id,
        scope=message.scope,
        kind=Kind(message.kind),
        text=message.text,
        state=State(message.state),
        subject=message.subject,
        entities=tuple(message.entities),
        importance=message.importance if message.HasField("importance") else USUAL_IMPORTANCE,
        sources=tuple(map(_source_of, message.sources)),
        creator=message.creator,
        origin=Origin(message.origin),
        supersedes=message.supersedes,
        superseded_by=message.superseded_by,
        version=message.version,
        etag=message.etag,
        create_us=message.create_time.ToMicroseconds(),
        update_us=message.update_time.ToMicroseconds(),
        updater=message.updater,
        **{name: micros_of(message, field) for field, name in _TIMES.items()},
    )


def said_of(message: pb.Memory, scope: str) -> Memory:
    """What a caller says of a new memory. Raises DomainError INVALID_ARGUMENT."""
    return replace(
        memory_of(said_alone(message)),
        scope=scope,
        state=State.ACTIVE,
        origin=Origin(message.origin or pb.MEMORY_ORIGIN_PERSON),
        version=1,
    )


def said_alone(message: pb.Memory) -> pb.Memory:
    """The message without what the server says of a memory."""
    said = pb.Memory()
    said.CopyFrom(message)
    for name in (
        "memory_id",
        "scope",
        "state",
        "creator",
        "superseded_by",
        "version",
        "etag",
        "create_time",
        "update_time",
        "updater",
    ):
        said.ClearField(name)
    return said


def corrected(before: Memory, message: pb.Memory, paths: Collection[str]) -> Memory:
    """A memory with the fields of the message that are named. Raises INVALID_ARGUMENT."""
    said = memory_of(said_alone(message))
    names = [_TIMES.get(path, path) for path in paths]
    new: dict[str, Any] = {name: getattr(said, name) for name in names}
    return replace(before, **new)


def memory_message(memory: Memory) -> pb.Memory:
    """Encode a memory."""
    message = pb.Memory(
        memory_id=memory.memory_id,
        scope=memory.scope,
        kind=pb.MemoryKind.ValueType(memory.kind),
        state=pb.MemoryState.ValueType(memory.state),
        text=memory.text,
        subject=memory.subject,
        entities=memory.entities,
        importance=memory.importance,
        sources=map(source_message, memory.sources),
        creator=memory.creator,
        origin=pb.MemoryOrigin.ValueType(memory.origin),
        supersedes=memory.supersedes,
        superseded_by=memory.superseded_by,
        version=memory.version,
        etag=memory.etag,
        create_time=timestamp(memory.create_us),
        update_time=timestamp(memory.update_us),
        updater=memory.updater,
    )
    for field, name in _TIMES.items():
        time_us: int | None = getattr(memory, name)
        if time_us is not None:
            getattr(message, field).CopyFrom(timestamp(time_us))
    return message


def request_of(actor: str, request_id: str, scope: str, request: Message) -> Request | None:
    """Which request it is, to put something in that scope; None for one that can't be repeated."""
    if not request_id:
        return None
    said = request.SerializeToString(deterministic=True)
    return Request(actor, request_id, hashlib.sha256(said).digest(), scope)


def list_wish_of(request: service_pb.ListMemoriesRequest, scope: str) -> ListWish:
    """What is to be listed."""
    states = [State(it) for it in request.states] or [State.ACTIVE]
    return ListWish(scope, states, [Kind(it) for it in request.kinds], request.subject)


def _source_of(message: pb.MemorySource) -> Source:
    return Source(
        ConversationId(message.conversation_id),
        MessageId(message.message_id),
        message.start,
        message.end,
    )


def source_message(source: Source) -> pb.MemorySource:
    """Encode where something comes from."""
    return pb.MemorySource(
        conversation_id=source.conversation_id,
        message_id=source.message_id,
        start=source.start,
        end=source.end,
    )


def exported_message(exported: Exported) -> service_pb.ExportedMemory:
    """Encode a memory with all that it has been."""
    return service_pb.ExportedMemory(
        memory=memory_message(exported.memory), versions=map(memory_message, exported.versions)
    )
