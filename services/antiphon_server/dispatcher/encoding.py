"""The contract's messages <-> the dispatcher's own types."""

import hashlib
from collections.abc import Iterable
from typing import Any

from antiphon.context.v1 import conversation_pb2, message_pb2
from antiphon.dispatcher.v1 import dispatcher_service_pb2, turn_pb2
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import model_pb2
from antiphon_server.dispatcher.handoff_encoding import handoff_message
from antiphon_server.dispatcher.model import (
    COUNTED,
    HandlerInfo,
    LeftOut,
    Order,
    Outcome,
    Policy,
    SkippedModel,
    StoredTurn,
    Tombstone,
    Turn,
    Usage,
)
from antiphon_server.runtime.access.principal import Grant
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.rpc.times import timestamp

MAX_MESSAGE_BYTES = 1 << 20
DEFAULT_TIME_LIMIT_S = 600.0


def order_of(request: dispatcher_service_pb2.DispatchRequest) -> Order:
    """Decode what a client asks for; models of a conversation that is to be made are its own.

    Raises DomainError INVALID_ARGUMENT if the message is too large.
    """
    message = message_pb2.Message(parts=request.parts)
    if message.ByteSize() > MAX_MESSAGE_BYTES:  # what PostMessage counts
        raise invalid("parts", "a message has at most 1 MiB; larger content goes by reference")
    message.type = request.type
    message.metadata.update(request.metadata)
    content = event_pb2.MessagePosted(message=message).SerializeToString(deterministic=True)
    limit = request.time_limit
    return Order(
        content,
        request.handler,
        Policy(request.policy),
        tuple(request.models or request.new_conversation.models),
        request.max_output_tokens,
        limit.seconds + limit.nanos / 1e9
        if request.HasField("time_limit")
        else DEFAULT_TIME_LIMIT_S,
        _kinds_beside_text(request.parts),
    )


def _kinds_beside_text(parts: Iterable[message_pb2.Part]) -> frozenset[str]:
    return frozenset(part.WhichOneof("content") or "" for part in parts) - {"", "text"}


def digest_of(request: dispatcher_service_pb2.DispatchRequest) -> bytes:
    """Identify the request's content."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def content_of(text: str) -> bytes:
    """A text as a message's content."""
    message = message_pb2.Message(parts=[message_pb2.Part(text=text)])
    return event_pb2.MessagePosted(message=message).SerializeToString(deterministic=True)


def result_of(text: str) -> bytes:
    """A text as a call's result."""
    message = message_pb2.Message(parts=[message_pb2.Part(text=text)])
    return message.SerializeToString(deterministic=True)


def text_of(content: bytes) -> str:
    """Return the text of a message's content."""
    posted = event_pb2.MessagePosted.FromString(content)
    return "\n".join(part.text for part in posted.message.parts if part.HasField("text"))


def turn_message(turn: StoredTurn) -> turn_pb2.Turn:
    """Encode a turn."""
    message = turn_pb2.Turn(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        state=event_pb2.TurnState.ValueType(turn.state),
        attempt=turn.attempt,
        creator=turn.creator,
        create_time=timestamp(turn.created_us),
    )
    if isinstance(turn, Tombstone):
        message.end_time.CopyFrom(message.create_time)
        return message
    message.handler = turn.order.handler
    message.policy = conversation_pb2.TurnPolicy.ValueType(turn.order.policy)
    message.message_id = turn.message_id
    message.parent_turn_id = turn.order.parent.turn_id if turn.order.parent else ""
    message.reply_message_id = turn.answer_id if turn.has_reply else ""
    if turn.handoff is not None:
        message.handoff.CopyFrom(handoff_message(turn.handoff))
    put_route(message, turn)
    if turn.started_us:
        message.start_time.CopyFrom(timestamp(turn.started_us))
    if turn.ended_us:
        message.end_time.CopyFrom(timestamp(turn.ended_us))
    if turn.outcome is not None:
        _add_outcome(message, turn.outcome)
    return message


def put_route(message: turn_pb2.Turn | event_pb2.TurnStarted, turn: Turn) -> None:
    """Encode why a turn has its handler, as far as that is known now."""
    if turn.order.route:
        message.route.MergeFromString(turn.order.route)
    if turn.chosen is not None:
        message.route.question.answered_by = turn.chosen.actor


def _add_outcome(message: turn_pb2.Turn, outcome: Outcome) -> None:
    message.model = outcome.model
    put_left_out(message, outcome.left_out)
    message.output_limit = outcome.output_limit
    message.answered_by = outcome.answered_by
    message.finish_reason = model_pb2.FinishReason.ValueType(outcome.finish_reason)
    if outcome.error is not None:
        message.error.CopyFrom(status_of(outcome.error))
    if outcome.usage is not None:
        message.usage.CopyFrom(usage_message(outcome.usage))


def put_left_out(message: turn_pb2.Turn | event_pb2.TurnFinished, it: LeftOut) -> None:
    """Encode what an answer is given without."""
    message.omitted_messages, message.described_parts = it.omitted, it.described
    message.withheld_tools, message.omitted_texts = it.withheld, it.texts
    message.skipped_models.extend(
        model_pb2.SkippedModel(model=one.model, error_reason=one.error_reason, lacks=one.lacks)
        for one in it.skipped
    )


def left_out_of(message: event_pb2.TurnFinished) -> LeftOut:
    """Decode the same."""
    return LeftOut(
        message.omitted_messages,
        message.described_parts,
        message.withheld_tools,
        tuple([SkippedModel(it.model, it.error_reason, it.lacks) for it in message.skipped_models]),
        message.omitted_texts,
    )


def usage_message(usage: Usage) -> model_pb2.Usage:
    """Encode what was consumed."""
    counts: dict[str, Any] = {name: getattr(usage, name) for name in COUNTED}
    message = model_pb2.Usage(estimated=usage.estimated, **counts)
    if usage.cost_micros is not None:
        message.cost.CopyFrom(model_pb2.Money(currency=usage.currency, micros=usage.cost_micros))
    return message


def usage_of(message: model_pb2.Usage) -> Usage:
    """Decode what was consumed."""
    counts: dict[str, Any] = {name: getattr(message, name) for name in COUNTED}
    return Usage(
        estimated=message.estimated,
        currency=message.cost.currency or "USD",
        cost_micros=message.cost.micros if message.HasField("cost") else None,
        **counts,
    )


def grant_of(request: dispatcher_service_pb2.CheckGrantRequest) -> Grant:
    """What is known of a grant by whoever asks of its turn, which need not be who pays."""
    return Grant(request.turn_id, request.conversation_id, "", request.attempt)


def handler_message(info: HandlerInfo) -> turn_pb2.Handler:
    """Encode how a handler presents itself."""
    return turn_pb2.Handler(
        name=info.name,
        description=info.description,
        default=info.default,
        loss_policy=turn_pb2.LossPolicy.ValueType(info.loss_policy),
        available=info.available,
        built_in=info.built_in,
        examples=info.examples,
    )
