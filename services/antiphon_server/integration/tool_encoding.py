"""The contract's messages about tools <-> the domain's types."""

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import tool_pb2
from antiphon.integration.v1 import tool_service_pb2 as pb
from antiphon_server.integration.tools.catalogue import ListedTool
from antiphon_server.integration.tools.model import (
    Annotations,
    Definition,
    Result,
    ResultPart,
    Rule,
    ToolCallId,
)


def tool(it: ListedTool) -> tool_pb2.Tool:
    """Encode a tool."""
    encoded = definition(it.definition)
    encoded.rule = tool_pb2.ToolRule.ValueType(it.rule)
    encoded.state = tool_pb2.ToolState.ValueType(it.state)
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
    )


def result(call_id: ToolCallId, it: Result) -> tool_pb2.ToolResult:
    """Encode what came of a call."""
    return tool_pb2.ToolResult(
        tool_call_id=call_id,
        parts=map(_part, it.parts),
        failed=it.failed,
        omitted_bytes=it.omitted_bytes,
    )


def _part(it: ResultPart) -> message_pb2.Part:
    if it.kind == "text":
        return message_pb2.Part(text=it.content)
    part = message_pb2.Part()
    reference: message_pb2.Reference = getattr(part, it.kind)
    reference.uri, reference.media_type = it.content, it.media_type
    return part
