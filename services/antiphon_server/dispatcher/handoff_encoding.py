"""The contract's messages of hand-offs <-> the dispatcher's own types."""

from antiphon.auth.v1 import access_pb2
from antiphon.dispatcher.v1 import handoff_pb2 as pb
from antiphon.events.v1 import handoff_pb2
from antiphon_server.dispatcher.handoff_model import (
    DAY_S,
    Handoff,
    HandoffOrder,
    HandoffRole,
    Otherwise,
    QueuedHandoff,
)
from antiphon_server.runtime.rpc.times import timestamp


def order_of(it: pb.HandoffOrder, asked_by: str = "") -> HandoffOrder:
    """Decode what is said of a hand-off."""
    after = it.expire_after
    return HandoffOrder(
        it.reason,
        HandoffRole(it.role or HandoffRole.MEMBER),
        after.seconds + after.nanos / 1e9 if it.HasField("expire_after") else DAY_S,
        otherwise_of(it.otherwise),
        asked_by,
    )


def otherwise_of(it: handoff_pb2.HandoffOtherwise) -> Otherwise:
    """Decode what becomes of one that nobody goes on with."""
    return Otherwise(it.text, it.handler)


def handoff_message(it: Handoff) -> handoff_pb2.Handoff:
    """Encode a hand-off."""
    message = handoff_pb2.Handoff(
        handoff_id=it.handoff_id,
        reason=it.reason,
        role=access_pb2.Role.ValueType(it.role),
        asked_by=it.asked_by,
        create_time=timestamp(it.created_us),
        expire_time=timestamp(it.expires_us),
        claimed_by=it.claimed_by,
        held_for=it.held_for,
    )
    if it.claimed_us:
        message.claim_time.CopyFrom(timestamp(it.claimed_us))
    if it.otherwise.handler:
        message.otherwise.handler = it.otherwise.handler
    elif it.otherwise.text:
        message.otherwise.text = it.otherwise.text
    return message


def handoff_of(it: handoff_pb2.Handoff) -> Handoff:
    """Decode a hand-off."""
    return Handoff(
        it.handoff_id,
        it.reason,
        HandoffRole(it.role),
        it.asked_by,
        it.create_time.ToMicroseconds(),
        it.expire_time.ToMicroseconds(),
        otherwise_of(it.otherwise),
        it.claimed_by,
        it.claim_time.ToMicroseconds() if it.HasField("claim_time") else 0,
        it.held_for,
    )


def queued_message(it: QueuedHandoff) -> pb.QueuedHandoff:
    """Encode one as the queue shows it."""
    turn = pb.HandedTurn(
        turn_id=it.turn_id,
        message_id=it.message_id,
        handler=it.handler,
        creator=it.creator,
        first_line=it.first_line,
    )
    return pb.QueuedHandoff(
        handoff=handoff_message(it.handoff),
        conversation_id=it.conversation_id,
        turn=turn,
        title=it.title,
        display_names=it.display_names,
    )


def queued_of(it: pb.QueuedHandoff, workspace_id: str) -> QueuedHandoff:
    """Decode one as the queue keeps it."""
    return QueuedHandoff(
        handoff_of(it.handoff),
        workspace_id,
        it.conversation_id,
        it.turn.turn_id,
        it.turn.message_id,
        it.turn.handler,
        it.turn.creator,
        it.title,
        it.turn.first_line,
        dict(it.display_names),
    )
