"""The contract's messages about tools <-> the domain's types."""

import json
from collections.abc import Iterable, Mapping

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import tool_pb2
from antiphon.integration.v1 import tool_service_pb2 as pb
from antiphon_server.integration.money_encoding import encoded as encoded_money
from antiphon_server.integration.tools.catalogue import ListedTool
from antiphon_server.integration.tools.model import (
    Annotations,
    Definition,
    Piece,
    Result,
    ResultPart,
    Rule,
    ToolCallId,
)
from antiphon_server.integration.tools.questions import Action, Answer, Pause, Question, QuestionId


def tool(it: ListedTool) -> tool_pb2.Tool:
    """Encode a tool."""
    encoded = definition(it.definition)
    encoded.rule = tool_pb2.ToolRule.ValueType(it.rule)
    encoded.state = tool_pb2.ToolState.ValueType(it.state)
    if it.price is not None:
        encoded.price.CopyFrom(encoded_money(it.price))
    return encoded


def definition(told: Definition) -> tool_pb2.Tool:
    """Encode what a source says of a tool."""
    return tool_pb2.Tool(
        name=told.name,
        title=told.title,
        description=told.description,
        input_schema_json=told.input_schema,
        output_schema_json=told.output_schema,
        annotations=_annotations(told.annotations),
        definition_sha256=told.digest,
    )


def _annotations(it: Annotations) -> tool_pb2.ToolAnnotations:
    return tool_pb2.ToolAnnotations(
        read_only=it.read_only,
        destructive=it.destructive,
        idempotent=it.idempotent,
        open_world=it.open_world,
    )


def planned(it: ListedTool) -> pb.PlannedTool:
    """Encode a tool for a model."""
    told = it.definition
    return pb.PlannedTool(
        definition=tool_pb2.ToolDefinition(
            name=told.name,
            description=told.description,
            input_schema_json=told.input_schema,
        ),
        asks=it.rule is not Rule.ALWAYS,
        repeatable=told.annotations.idempotent,
        tool_sha256=it.digest,
    )


def result(call_id: ToolCallId, it: Result) -> tool_pb2.ToolResult:
    """Encode what came of a call."""
    return tool_pb2.ToolResult(
        tool_call_id=call_id,
        parts=map(_part, it.parts),
        failed=it.failed,
        omitted_bytes=it.omitted_bytes,
        kept=it.kept,
    )


def piece(it: Piece) -> pb.ReadToolResultResponse:
    """Encode a piece of a result that is kept."""
    return pb.ReadToolResultResponse(
        data=it.data,
        kind=message_pb2.PartKind.Value(f"PART_KIND_{it.kind.upper()}"),
        media_type=it.media_type,
        size_bytes=it.size,
        parts=it.parts,
    )


def ended(call_id: ToolCallId, it: Result | Pause) -> pb.RunToolResponse:
    """Encode what came of a turn's call."""
    if isinstance(it, Result):
        return pb.RunToolResponse(result=result(call_id, it))
    pause = tool_pb2.ToolPause(questions=map(question, it.questions), state=it.state)
    return pb.RunToolResponse(pause=pause)


def question(it: Question) -> tool_pb2.ToolQuestion:
    """Encode a question."""
    return tool_pb2.ToolQuestion(
        question_id=it.question_id, message=it.message, schema_json=it.schema, url=it.url
    )


def answers(given: Iterable[tool_pb2.ToolAnswer]) -> Mapping[QuestionId, Answer]:
    """Decode answers, which were compared with their questions before."""
    return dict(map(answer, given))


def answer(it: tool_pb2.ToolAnswer) -> tuple[QuestionId, Answer]:
    """Decode an answer."""
    content = json.loads(it.content_json) if it.content_json else {}
    return QuestionId(it.question_id), Answer(Action(it.action), content)


def _part(it: ResultPart) -> message_pb2.Part:
    if it.kind == "text":
        return message_pb2.Part(text=it.content)
    part = message_pb2.Part()
    reference: message_pb2.Reference = getattr(part, it.kind)
    reference.uri, reference.media_type = it.content, it.media_type
    return part
