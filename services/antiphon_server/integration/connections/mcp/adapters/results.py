"""What MCP says of tools and their results, in the shape that all tools have."""

import json

import mcp_types as types

from antiphon_server.integration.tools.model import (
    Annotations,
    Definition,
    Result,
    ResultPart,
    SourceName,
    ToolName,
)


def definition(source: SourceName, tool: types.Tool) -> Definition:
    """A tool, named by its source."""
    hints = tool.annotations or types.ToolAnnotations()
    return Definition(
        ToolName(f"{source}.{tool.name}"),
        tool.description or "",
        json.dumps(tool.input_schema),
        "" if tool.output_schema is None else json.dumps(tool.output_schema),
        tool.title or hints.title or "",
        Annotations(
            hints.read_only_hint is True,
            hints.destructive_hint is not False and hints.read_only_hint is not True,
            hints.idempotent_hint is True,
            hints.open_world_hint is not False,
        ),
    )


def result(told: types.CallToolResult) -> Result:
    """A tool's result; what is no text is a URI, with its data where it was sent along."""
    parts = tuple(_part(content) for content in told.content)
    return Result(parts, told.structured_content, bool(told.is_error))


def _part(content: types.ContentBlock) -> ResultPart:
    match content:
        case types.TextContent(text=text):
            return ResultPart("text", text)
        case types.ImageContent(data=data, mime_type=kind):
            return ResultPart("image", _inline(data, kind), kind)
        case types.AudioContent(data=data, mime_type=kind):
            return ResultPart("audio", _inline(data, kind), kind)
        case types.ResourceLink(uri=uri, mime_type=kind):
            return ResultPart("file", str(uri), kind or "")
        case types.EmbeddedResource(resource=types.TextResourceContents(text=text)):
            return ResultPart("text", text)
        case types.EmbeddedResource(resource=types.BlobResourceContents() as blob):
            kind = blob.mime_type or "application/octet-stream"
            return ResultPart("file", _inline(blob.blob, kind), kind)
    raise ValueError("a kind of content that MCP does not have")


def _inline(data: str, kind: str) -> str:
    return f"data:{kind};base64,{data}"
