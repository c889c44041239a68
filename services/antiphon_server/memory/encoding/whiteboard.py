"""The contract's messages <-> whiteboards."""

import hashlib

from antiphon.memory.v1 import whiteboard_pb2 as pb
from antiphon.memory.v1 import whiteboard_service_pb2
from antiphon_server.memory.model import ConversationId
from antiphon_server.memory.whiteboard.model import (
    RequestKey,
    Section,
    Whiteboard,
    Wish,
)
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.rpc.times import timestamp


def wish_of(request: whiteboard_service_pb2.WriteSectionRequest, caller: Principal) -> Wish:
    """What is to be written, and who writes it."""
    appends = request.HasField("append")
    turn_id = turn_of(caller, request.turn_id)
    return Wish(
        ConversationId(request.conversation_id),
        request.name,
        request.append if appends else request.text,
        appends,
        request.etag,
        writer_of(caller, turn_id),
        turn_id,
    )


def writer_of(caller: Principal, turn_id: str) -> str:
    """Who writes: the turn, if it is one."""
    return f"turns/{turn_id}" if turn_id else caller.actor


def turn_of(caller: Principal, said: str) -> str:
    """The turn in which is written: a grant's is its own, a service says which."""
    if caller.grant is not None:
        return caller.grant.turn_id
    return said if caller.kind == "service" else ""


def request_of(
    request: whiteboard_service_pb2.WriteSectionRequest, caller: Principal
) -> RequestKey | None:
    """What tells a repetition; None without a request id."""
    if not request.request_id:
        return None
    whose = f"{caller.actor}\0{request.request_id}".encode()
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    return RequestKey(hashlib.sha256(whose).hexdigest(), digest, request.request_id)


def whiteboard_message(it: Whiteboard) -> pb.Whiteboard:
    """What it says."""
    message = pb.Whiteboard(
        conversation_id=it.conversation_id,
        sections=map(section_message, it.sections),
        version=it.version,
        size_bytes=it.size,
        kept=it.kept,
    )
    if it.expire_us is not None:
        message.expire_time.CopyFrom(timestamp(it.expire_us))
    return message


def section_message(it: Section) -> pb.Section:
    """A section as it is or was."""
    message = pb.Section(
        name=it.name,
        text=it.text,
        version=it.version,
        etag=it.etag,
        size_bytes=it.size,
        writer=it.writer,
        deleted=it.deleted,
    )
    if it.update_us:
        message.create_time.CopyFrom(timestamp(it.create_us))
        message.update_time.CopyFrom(timestamp(it.update_us))
    return message
