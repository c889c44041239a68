"""Rows <-> memories. What no statement looks at is the contract's Memory, serialised."""

import hashlib
from typing import Any

from antiphon.memory.v1 import memory_pb2 as pb
from antiphon_server.memory.encoding.memories import memory_message, memory_of
from antiphon_server.memory.remembered import Memory, State

NOTHING = b""


def row_of(memory: Memory, revision: int) -> dict[str, Any]:
    """The row of the memory as it is now."""
    is_active = memory.state is State.ACTIVE
    return {
        "memory_id": memory.memory_id,
        "scope": memory.scope,
        "revision": revision,
        "kind": int(memory.kind),
        "state": int(memory.state),
        "subject": memory.subject,
        "version": memory.version,
        "create_us": memory.create_us,
        "expire_us": memory.expire_us,
        "same": same_of(memory) if is_active else NOTHING,
        "body": body_of(memory),
    }


def same_of(memory: Memory) -> bytes:
    """A digest of what is alike in memories that say the same."""
    return hashlib.sha256(memory.same.encode()).digest()


def body_of(memory: Memory) -> bytes:
    """The memory, serialised."""
    return memory_message(memory).SerializeToString(deterministic=True)


def memory_in(body: bytes) -> Memory:
    """The memory that was serialised so."""
    return memory_of(pb.Memory.FromString(body))
