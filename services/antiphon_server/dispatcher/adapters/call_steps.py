"""Steps of a turn's calls of tools <-> events of the log."""

from dataclasses import replace
from typing import assert_never

from antiphon.context.v1 import message_pb2
from antiphon.events.v1 import event_pb2
from antiphon.integration.v1 import tool_pb2
from antiphon_server.dispatcher.model import (
    Answer,
    AnswerAction,
    CallOutcome,
    CallStep,
    Question,
    QuestionAnswered,
    QuestionAsked,
    QuestionId,
    ToolCall,
    ToolCallDecided,
    ToolCallFinished,
    ToolCallId,
    ToolCallProposed,
    ToolCallStarted,
)
from antiphon_server.runtime.errors.wire import domain_error_of_status, status_of
from antiphon_server.runtime.rpc.times import timestamp

KINDS = (
    event_pb2.EVENT_KIND_TOOL_CALL_PROPOSED,
    event_pb2.EVENT_KIND_TOOL_CALL_DECIDED,
    event_pb2.EVENT_KIND_TOOL_CALL_STARTED,
    event_pb2.EVENT_KIND_TOOL_CALL_QUESTION_ASKED,
    event_pb2.EVENT_KIND_TOOL_CALL_QUESTION_ANSWERED,
    event_pb2.EVENT_KIND_TOOL_CALL_FINISHED,
)


def add_call_step(event: event_pb2.Event, step: CallStep) -> None:
    """Encode what happened to a call."""
    match step:
        case ToolCallProposed():
            event.tool_call_proposed.CopyFrom(_proposed(step))
        case ToolCallDecided(call_id, approved, _, reason):
            decided = event.tool_call_decided
            decided.tool_call_id, decided.approved, decided.reason = call_id, approved, reason
        case ToolCallStarted(call):
            started = event.tool_call_started
            started.tool_call_id, started.tool = call.call_id, call.tool
            started.arguments_json = call.arguments
        case QuestionAsked():
            event.tool_call_question_asked.CopyFrom(_asked(step))
        case QuestionAnswered(call_id, answer):
            answered = event.tool_call_question_answered
            answered.tool_call_id = call_id
            answered.answer.question_id = answer.question_id
            answered.answer.action = tool_pb2.ToolAnswerAction.ValueType(answer.action)
            answered.answer.content_json = answer.content
        case ToolCallFinished():
            event.tool_call_finished.CopyFrom(_finished(step))
        case _:
            assert_never(step)


def _proposed(step: ToolCallProposed) -> event_pb2.ToolCallProposed:
    call = step.call
    return event_pb2.ToolCallProposed(
        tool_call_id=call.call_id,
        tool=call.tool,
        arguments_json=call.arguments,
        arguments_sha256=call.digest,
        asks=step.asks,
        step=call.step,
        position=step.position,
        tool_sha256=call.tool_digest,
    )


def _asked(step: QuestionAsked) -> event_pb2.ToolCallQuestionAsked:
    asked, it = step.question, event_pb2.ToolCallQuestionAsked()
    it.tool_call_id, it.state, it.question_sha256 = step.call_id, step.state, asked.digest
    it.question.question_id, it.question.message = asked.question_id, asked.message
    it.question.schema_json, it.question.url = asked.schema, asked.url
    it.asked_of = asked.asked_of
    if step.expires_us:
        it.expire_time.CopyFrom(timestamp(step.expires_us))
    return it


def _finished(step: ToolCallFinished) -> event_pb2.ToolCallFinished:
    return event_pb2.ToolCallFinished(
        tool_call_id=step.call_id,
        result=message_pb2.Message.FromString(step.content).parts,
        error=status_of(step.error) if step.error else None,
        outcome=event_pb2.ToolCallOutcome.ValueType(step.outcome),
        omitted_bytes=step.omitted_bytes,
        duration_ms=step.duration_ms,
        kept=step.kept,
    )


def call_step_of(event: event_pb2.Event) -> CallStep | None:
    """Decode what happened to a call; None of an event that tells of none."""
    match event.WhichOneof("payload"):
        case "tool_call_proposed":
            proposed = event.tool_call_proposed
            call = replace(_call_of(proposed, proposed.step), tool_digest=proposed.tool_sha256)
            return ToolCallProposed(call, proposed.asks, proposed.position)
        case "tool_call_decided":
            return _decided_of(event)
        case "tool_call_started":
            return ToolCallStarted(_call_of(event.tool_call_started))
        case "tool_call_question_asked":
            return _asked_of(event.tool_call_question_asked)
        case "tool_call_question_answered":
            return _answered_of(event)
        case "tool_call_finished":
            return _finished_of(event.tool_call_finished)
        case _:
            return None


def _call_of(it: event_pb2.ToolCallProposed | event_pb2.ToolCallStarted, step: int = 0) -> ToolCall:
    return ToolCall(ToolCallId(it.tool_call_id), it.tool, it.arguments_json, step)


def _decided_of(event: event_pb2.Event) -> ToolCallDecided:
    it = event.tool_call_decided
    return ToolCallDecided(ToolCallId(it.tool_call_id), it.approved, event.actor, it.reason)


def _asked_of(it: event_pb2.ToolCallQuestionAsked) -> QuestionAsked:
    told = it.question
    question_id = QuestionId(told.question_id)
    question = Question(question_id, told.message, told.schema_json, told.url, it.asked_of)
    expires_us = it.expire_time.ToMicroseconds() if it.HasField("expire_time") else 0
    return QuestionAsked(ToolCallId(it.tool_call_id), question, it.state, expires_us)


def _answered_of(event: event_pb2.Event) -> QuestionAnswered:
    it = event.tool_call_question_answered
    said = it.answer
    answer = Answer(QuestionId(said.question_id), AnswerAction(said.action), said.content_json)
    return QuestionAnswered(ToolCallId(it.tool_call_id), answer, event.actor)


def _finished_of(it: event_pb2.ToolCallFinished) -> ToolCallFinished:
    return ToolCallFinished(
        ToolCallId(it.tool_call_id),
        CallOutcome(it.outcome),
        message_pb2.Message(parts=it.result).SerializeToString(deterministic=True),
        domain_error_of_status(it.error) if it.HasField("error") else None,
        it.omitted_bytes,
        it.duration_ms,
        it.kept,
    )
