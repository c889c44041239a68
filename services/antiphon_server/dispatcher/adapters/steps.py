"""A turn's steps <-> events of the log."""

from typing import assert_never

from antiphon.context.v1 import conversation_pb2, message_pb2
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import model_pb2
from antiphon_server.dispatcher.adapters.call_steps import add_call_step
from antiphon_server.dispatcher.adapters.handoff_steps import actor_of, add_handoff_step
from antiphon_server.dispatcher.encoding import (
    left_out_of,
    put_left_out,
    put_route,
    usage_message,
    usage_of,
)
from antiphon_server.dispatcher.handoff_model import (
    HandoffClaimChanged,
    HandoffEnded,
    TurnHandedOff,
)
from antiphon_server.dispatcher.model import (
    MessagePosted,
    Outcome,
    QuestionAnswered,
    QuestionAsked,
    ReplyPosted,
    State,
    Step,
    TextAppended,
    Tombstone,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallProposed,
    ToolCallStarted,
    Turn,
    TurnAccepted,
    TurnAssigned,
    TurnFinished,
    TurnProgressed,
    TurnQueued,
    TurnStarted,
    output_of,
)
from antiphon_server.runtime.errors.wire import domain_error_of_status, status_of


def event_of(turn: Turn, step: Step) -> event_pb2.Event:
    """Encode what happened in ``turn``."""
    event = event_pb2.Event(
        actor=_actor(turn, step),
        turn_id=turn.turn_id,
        attempt=turn.attempt,
        output=output_of(step),
    )
    match step:
        case TextAppended(text, position):
            delta = event.text_delta_appended
            delta.message_id = step.message_id or turn.reply_id
            delta.text, delta.position = text, position
        case MessagePosted():
            event.message_posted.CopyFrom(_question(turn, step))
        case ReplyPosted():
            event.message_posted.message.CopyFrom(_reply(turn, step))
        case TurnAccepted():
            event.turn_accepted.CopyFrom(_accepted(turn))
        case TurnQueued(ahead):
            event.turn_queued.ahead = ahead
        case TurnStarted():
            event.turn_started.handler = turn.order.handler
            event.turn_started.reply_message_id = turn.reply_id
            if turn.chosen is not None or turn.fell_back:
                put_route(event.turn_started, turn)
        case TurnAssigned(worker_id, deployment, version):
            assigned = event.turn_assigned
            assigned.worker_id, assigned.deployment = worker_id, deployment
            assigned.version = version
        case TurnProgressed(status, fraction):
            event.turn_progressed.status = status
            if fraction is not None:
                event.turn_progressed.fraction = fraction
        case ToolCallProposed() | ToolCallDecided() | ToolCallStarted() | ToolCallFinished():
            add_call_step(event, step)
        case QuestionAsked() | QuestionAnswered():
            add_call_step(event, step)
        case TurnHandedOff() | HandoffClaimChanged() | HandoffEnded():
            add_handoff_step(event, step)
        case TurnFinished():
            is_beside = step.outcome.beside
            event.turn_finished.CopyFrom(
                _finished(step, turn.beside_id if is_beside else turn.reply_id)
            )
        case _:
            assert_never(step)
    return event


def assigned_of(event: event_pb2.Event) -> TurnAssigned:
    """Decode who has a turn."""
    it = event.turn_assigned
    return TurnAssigned(it.worker_id, it.deployment, it.version)


def cancelled_of(turn: Tombstone) -> event_pb2.Event:
    """Encode the end of a turn that never came to a handler."""
    finished = _finished(TurnFinished(turn.outcome, has_reply=False), "")
    return event_pb2.Event(actor="handlers/", turn_id=turn.turn_id, turn_finished=finished)


def finished_of(event: event_pb2.Event) -> TurnFinished:
    """Decode how a turn ended."""
    it = event.turn_finished
    outcome = Outcome(
        State(it.state),
        domain_error_of_status(it.error) if it.HasField("error") else None,
        usage_of(it.usage) if it.HasField("usage") else None,
        it.model,
        it.rolled_back,
        it.finish_reason,
        left_out_of(it),
        it.output_limit,
        it.answered_by,
        beside=it.reply_message_id.endswith("_p"),
    )
    return TurnFinished(outcome, has_reply=bool(it.reply_message_id))


def _actor(turn: Turn, step: Step) -> str:
    if isinstance(step, ToolCallDecided | QuestionAnswered) and step.actor:
        return step.actor
    if isinstance(step, ReplyPosted) and step.author:
        return step.author
    if isinstance(step, TurnHandedOff | HandoffClaimChanged | HandoffEnded) and actor_of(step):
        return actor_of(step)
    if isinstance(step, MessagePosted | TurnAccepted | TurnQueued):
        return turn.asker
    return f"handlers/{turn.order.handler}"


def _question(turn: Turn, step: MessagePosted) -> event_pb2.MessagePosted:
    posted = event_pb2.MessagePosted.FromString(step.content)
    message = posted.message
    message.message_id = turn.message_id
    message.conversation_id = turn.conversation_id
    message.role = message_pb2.MESSAGE_ROLE_USER
    message.author = turn.asker
    message.turn_id = turn.turn_id
    if turn.order.parent is not None or turn.order.held.reason:
        message.aside = True  # its own turn has it, and no other
    return posted


def _reply(turn: Turn, step: ReplyPosted) -> message_pb2.Message:
    return message_pb2.Message(
        message_id=step.message_id or turn.reply_id,
        conversation_id=turn.conversation_id,
        role=message_pb2.MESSAGE_ROLE_ASSISTANT,
        author=step.author or f"handlers/{turn.order.handler}",
        parts=[message_pb2.Part(text=step.text)],
        turn_id=turn.turn_id,
        truncated=step.truncated,
        aside=turn.order.parent is not None,
    )


def _accepted(turn: Turn) -> event_pb2.TurnAccepted:
    accepted = event_pb2.TurnAccepted(
        handler=turn.order.handler,
        message_id=turn.message_id,
        policy=conversation_pb2.TurnPolicy.ValueType(turn.order.policy),
        parent_turn_id=turn.order.parent.turn_id if turn.order.parent else "",
    )
    if turn.order.route:
        accepted.route.MergeFromString(turn.order.route)
    return accepted


def _finished(step: TurnFinished, reply_id: str) -> event_pb2.TurnFinished:
    outcome = step.outcome
    finished = event_pb2.TurnFinished(
        state=event_pb2.TurnState.ValueType(outcome.state),
        reply_message_id=reply_id if step.has_reply else "",
        model=outcome.model,
        rolled_back=outcome.rolled_back,
        finish_reason=model_pb2.FinishReason.ValueType(outcome.finish_reason),
        output_limit=outcome.output_limit,
        answered_by=outcome.answered_by,
    )
    put_left_out(finished, outcome.left_out)
    if outcome.error is not None:
        finished.error.CopyFrom(status_of(outcome.error))
    if outcome.usage is not None:
        finished.usage.CopyFrom(usage_message(outcome.usage))
    return finished
