"""The frames of the contract <-> what workers say and are told."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, assert_never

from antiphon.context.v1 import message_pb2
from antiphon.dispatcher.v1 import handoff_pb2, turn_pb2
from antiphon.dispatcher.v1 import worker_pb2 as pb
from antiphon.dispatcher.v1 import worker_service_pb2 as service_pb
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import budget_pb2, model_pb2, tool_pb2
from antiphon_server.dispatcher.handling import (
    COUNTED,
    HandoffOrder,
    HandoffRole,
    LossPolicy,
    Otherwise,
    TurnId,
    Usage,
)
from antiphon_server.runtime.encoding.forms import NotShown, shown_form
from antiphon_server.runtime.encoding.strict_json import loads
from antiphon_server.runtime.encoding.visible import visible
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.errors.wire import status_of
from antiphon_server.runtime.rpc.times import timestamp
from antiphon_server.workers import frames
from antiphon_server.workers.limits import WorkerLimits

LONGEST_RESULT = LONGEST_ASKED = 64 * 1024
_ARGUMENTS = "output.tool_call.arguments_json"


def introduction(hello: pb.Hello, user_id: str) -> frames.Introduction:
    """Decode who a worker is."""
    return frames.Introduction(
        frames.WorkerId(hello.worker_id),
        user_id,
        hello.deployment,
        hello.version,
        tuple(_offer(it) for it in hello.handlers),
        hello.slots,
        tuple(frames.Held(TurnId(it.turn_id), it.conversation_id, it.fence) for it in hello.held),
        hello.library,
    )


def hello(worker: frames.Introduction, turns: Iterable[TurnId]) -> pb.Hello:
    """Encode who a worker is, for another server; it has these turns now."""
    it = pb.Hello(
        worker_id=worker.worker_id,
        deployment=worker.deployment,
        version=worker.version,
        slots=worker.slots,
        library=worker.library,
        held=[pb.HeldTurn(turn_id=turn_id) for turn_id in turns],
    )
    for offer in worker.offers:
        it.handlers.add(
            name=offer.name,
            description=offer.description,
            loss_policy=turn_pb2.LossPolicy.ValueType(offer.loss_policy),
            takes=sorted(offer.takes),
            examples=offer.examples,
        )
    return it


def _offer(it: pb.OfferedHandler) -> frames.Offer:
    policy = LossPolicy(it.loss_policy) if it.loss_policy else LossPolicy.RESUME
    return frames.Offer(it.name, it.description, policy, frozenset(it.takes), tuple(it.examples))


def said(request: service_pb.WorkRequest) -> tuple[TurnId, int, frames.Said]:
    """Decode what a worker says of a turn: its id, the fence, and what.

    Raises DomainError INVALID_ARGUMENT, and UNIMPLEMENTED for what this version does not know.
    """
    match request.WhichOneof("frame"):
        case "accept":
            return _of(request.accept, frames.Accepted())
        case "decline":
            return _of(request.decline, frames.Declined(request.decline.reason))
        case "output":
            return _of(request.output, _output(request.output))
        case "ask":
            return _of(request.ask, _asked(request.ask))
        case "finish":
            return _of(request.finish, _finished(request.finish))
        case _:
            raise DomainError(Reason.UNIMPLEMENTED)


def about(request: service_pb.WorkRequest) -> tuple[str, int]:
    """Which turn, and which of its outputs, a frame is about; "" and 0 if about none."""
    kind = request.WhichOneof("frame")
    frame: Any = getattr(request, kind) if kind is not None else None
    return getattr(frame, "turn_id", "")[:80], request.output.sequence


def _of(
    frame: pb.Accept | pb.Decline | pb.Output | pb.Ask | pb.Finish, what: frames.Said
) -> tuple[TurnId, int, frames.Said]:
    return TurnId(frame.turn_id), frame.fence, what


def _output(it: pb.Output) -> frames.Output:
    match it.WhichOneof("step"):
        case "text":
            return frames.Written(it.sequence, it.text)
        case "progress":
            fraction = it.progress.fraction if it.progress.HasField("fraction") else None
            return frames.Progressed(it.sequence, it.progress.status, fraction)
        case "tool_call":
            call = it.tool_call
            return frames.CallBegun(
                it.sequence, call.tool, _object(call.arguments_json or "{}", _ARGUMENTS)
            )
        case "tool_result":
            result = it.tool_result
            content = message_pb2.Message(parts=result.parts).SerializeToString(deterministic=True)
            if len(content) > LONGEST_RESULT:
                raise invalid("output.tool_result.parts", "a result has at most 64 KiB")
            return frames.CallEnded(it.sequence, result.call_sequence, content, result.failed)
        case _:
            raise DomainError(Reason.UNIMPLEMENTED)


def _asked(it: pb.Ask) -> frames.Asked:
    match it.WhichOneof("what"):
        case "question":
            schema = it.question.schema_json
            message = visible(it.question.message)
            return frames.AskedQuestion(it.number, message, _form(schema) if schema else "")
        case "tool_calls":
            calls = [(call.tool, call.arguments_json or "{}") for call in it.tool_calls.calls]
            return frames.AskedCalls(it.number, tuple(calls))
        case "turns":
            return frames.AskedTurns(it.number, tuple(map(_asked_turn, it.turns.turns)))
        case _:
            raise DomainError(Reason.UNIMPLEMENTED)


def _form(schema: str) -> str:
    """A form as people can be shown it. Raises DomainError INVALID_ARGUMENT."""
    field = "ask.question.schema_json"
    try:
        return shown_form(loads(_object(schema, field)))
    except NotShown as why:
        raise invalid(field, str(why)) from None


def _asked_turn(it: pb.AskedTurn) -> frames.AskedTurn:
    message = message_pb2.Message(parts=it.parts)
    if message.ByteSize() > LONGEST_ASKED:
        raise invalid("ask.turns.parts", "a turn that is asked for has at most 64 KiB")
    content = event_pb2.MessagePosted(message=message).SerializeToString(deterministic=True)
    limit_s = it.time_limit.seconds + it.time_limit.nanos / 1e9
    kinds = frozenset(part.WhichOneof("content") or "" for part in it.parts) - {"", "text"}
    return frames.AskedTurn(it.handler, content, _text(it.parts), limit_s, kinds)


def _text(parts: Iterable[message_pb2.Part]) -> str:
    return "\n".join(part.text for part in parts if part.HasField("text"))


def _finished(it: pb.Finish) -> frames.Finished:
    usage = _usage(it.usage) if it.HasField("usage") else None
    handed = _handed_off(it.hand_off) if it.HasField("hand_off") else None
    return frames.Finished(it.sequence, it.failure, usage, it.model, handed)


def _handed_off(it: handoff_pb2.HandoffOrder) -> HandoffOrder:
    otherwise = Otherwise(it.otherwise.text, it.otherwise.handler)
    role = HandoffRole(it.role or HandoffRole.MEMBER)
    if not it.HasField("expire_after"):
        return HandoffOrder(it.reason, role, otherwise=otherwise)
    expire_s = it.expire_after.seconds + it.expire_after.nanos / 1e9
    return HandoffOrder(it.reason, role, expire_s, otherwise)


def _usage(message: model_pb2.Usage) -> Usage:
    counts = {name: max(0, getattr(message, name)) for name in COUNTED}
    cost = max(0, message.cost.micros) if message.HasField("cost") else None
    return Usage(
        estimated=message.estimated,
        currency=message.cost.currency or "USD",
        cost_micros=cost,
        **counts,
    )


def _object(text: str, field: str) -> str:
    """The text of a JSON object. Raises DomainError INVALID_ARGUMENT."""
    with suppress(ValueError, RecursionError):
        if isinstance(loads(text), dict):
            return text
    raise invalid(field, "a JSON object is wanted")


def passed(frame: service_pb.WorkResponse) -> frames.Passed:
    """What another server has a worker told; frames of newer servers, too."""
    match frame.WhichOneof("frame"):
        case "ack" if not frame.ack.finished:
            return frames.Passed(frame, acked=TurnId(frame.ack.turn_id))
        case "ack" | "cancel" | "revoke" as kind:
            return frames.Passed(frame, over=TurnId(getattr(frame, kind).turn_id))
    return frames.Passed(frame)


def response(told: frames.Told, limits: WorkerLimits) -> service_pb.WorkResponse:
    """Encode what a worker is told."""
    if isinstance(told, frames.Passed):
        assert isinstance(told.frame, service_pb.WorkResponse)
        return told.frame
    frame = service_pb.WorkResponse()
    match told:
        case frames.Welcome(refused):
            frame.welcome.CopyFrom(_welcome(refused, limits))
        case frames.Assign():
            frame.assign.CopyFrom(_assign(told))
        case frames.Ack(turn_id, fence, stored, finished):
            it = frame.ack
            it.turn_id, it.fence, it.sequence, it.finished = turn_id, fence, stored, finished
        case frames.Cancel(turn_id, fence):
            frame.cancel.turn_id, frame.cancel.fence = turn_id, fence
        case frames.Revoke(turn_id, fence, reason):
            frame.revoke.turn_id, frame.revoke.fence = turn_id, fence
            frame.revoke.reason = pb.RevokeReason.ValueType(reason)
        case frames.Beat(turn_ids):
            frame.beat.turn_ids.extend(turn_ids)
            frame.beat.SetInParent()
        case frames.Answered() | frames.CallsEnded() | frames.TurnsEnded():
            frame.answer.CopyFrom(_answer(told))
        case frames.Draining(after_s):
            frame.draining.reconnect_after.FromMilliseconds(round(after_s * 1000))
        case frames.Rejected(error, turn_id, number):
            frame.rejected.turn_id, frame.rejected.sequence = turn_id, number
            frame.rejected.error.CopyFrom(status_of(error))
        case _:
            assert_never(told)
    return frame


def _welcome(refused: tuple[str, ...], limits: WorkerLimits) -> pb.Welcome:
    it = pb.Welcome(max_unacknowledged=limits.unacknowledged)
    it.heartbeat.FromMilliseconds(round(limits.heartbeat_s * 1000))
    it.lease.FromMilliseconds(round(limits.lease_s * 1000))
    for name in refused:
        error = DomainError(Reason.HANDLER_NOT_ALLOWED, handler=name)
        it.refused.add(name=name, error=status_of(error))
    return it


def _assign(told: frames.Assign) -> pb.Assign:
    turn, order = told.turn, told.turn.order
    posted = event_pb2.MessagePosted.FromString(order.content)
    return pb.Assign(
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        workspace_id=turn.workspace_id,
        fence=turn.attempt,
        handler=order.handler,
        creator=turn.creator,
        parts=posted.message.parts,
        message_id=turn.message_id,
        text=told.text,
        sequence=told.stored,
        held=told.held,
        models=order.models,
        max_output_tokens=order.max_output_tokens,
        deadline=timestamp(told.deadline_us),
        grant=told.grant,
        cursor=turn.cursor,
        traceparent=told.traceparent,
        budget_left=map(budget_pb2.BudgetLeft.FromString, told.left),
        type=posted.message.type,
        metadata=posted.message.metadata,
    )


def _answer(told: frames.Answered | frames.CallsEnded | frames.TurnsEnded) -> pb.Answer:
    it = pb.Answer(turn_id=told.turn_id, fence=told.fence, number=told.number)
    match told:
        case frames.Answered(said=text):
            answer = loads(text)
            it.answer.action = tool_pb2.ToolAnswerAction.Value(
                f"TOOL_ANSWER_ACTION_{answer['action']}"
            )
            it.answer.content_json = answer["content"]
        case frames.CallsEnded(ends=ends):
            it.tool_calls.ends.extend(map(_call_end, ends))
        case frames.TurnsEnded(ends=turns):
            it.turns.ends.extend(map(_turn_end, turns))
        case _:
            assert_never(told)
    return it


def _call_end(end: frames.CallEnd) -> pb.ToolCallEnd:
    parts = message_pb2.Message.FromString(end.content).parts
    it = pb.ToolCallEnd()
    it.result.CopyFrom(
        tool_pb2.ToolResult(
            tool_call_id=end.call_id,
            parts=parts,
            failed=end.failed,
            omitted_bytes=end.omitted_bytes,
        )
    )
    if end.error is not None:
        it.error.CopyFrom(status_of(end.error))
    return it


def _turn_end(end: frames.TurnEnd) -> pb.TurnEnd:
    it = pb.TurnEnd(
        turn_id=end.turn_id,
        text=end.text,
        omitted_bytes=end.omitted_bytes,
        failed=end.failed,
    )
    if end.error is not None:
        it.error.CopyFrom(status_of(end.error))
    return it


class PartContents:
    """See :class:`~antiphon_server.workers.ports.Contents`."""

    def of_text(self, text: str) -> bytes:
        """See :meth:`Contents.of_text`."""
        parts = [message_pb2.Part(text=text)]
        return message_pb2.Message(parts=parts).SerializeToString(deterministic=True)

    def text(self, content: bytes) -> str:
        """See :meth:`Contents.text`."""
        return _text(message_pb2.Message.FromString(content).parts)

    def texts(self, content: bytes) -> Sequence[str]:
        """See :meth:`Contents.texts`."""
        return [_said(part) for part in message_pb2.Message.FromString(content).parts]

    def with_texts(self, content: bytes, texts: Sequence[str]) -> bytes:
        """See :meth:`Contents.with_texts`."""
        message = message_pb2.Message.FromString(content)
        for part, text in zip(message.parts, texts, strict=True):
            if text != _said(part):
                part.text = text
        return message.SerializeToString(deterministic=True)


def _said(part: message_pb2.Part) -> str:
    kind = part.WhichOneof("content")
    if kind is None:  # a newer worker's
        return ""
    return part.text if kind == "text" else str(getattr(part, kind).uri)
