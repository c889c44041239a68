"""The OpenAI wire's request: one JSON object.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from urllib.parse import urlsplit

import msgspec

from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.model import (
    Part,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolDefinition,
)
from antiphon_server.integration.models.settings import ModelSettings


class _Request(msgspec.Struct, omit_defaults=True):
    model: str
    messages: list[dict[str, object]]
    stream: bool
    stream_options: dict[str, bool]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    return_progress: bool = False  # llama.cpp's own
    tools: list[dict[str, object]] = []


_TEXT = frozenset({"text"})
_encode = msgspec.json.Encoder().encode


def encode_request(
    settings: ModelSettings, prompt: Prompt, names: ToolNames, *, progress: bool = False
) -> bytes:
    """The request's body; with ``progress`` llama.cpp tells how far it has read."""
    request = _Request(
        settings.model,
        encode_messages(prompt.messages, names),
        True,
        {"include_usage": True},
        temperature=prompt.temperature,
        return_progress=progress,
        tools=[_tool(tool, names) for tool in prompt.tools],
    )
    # OpenAI's newer models know only the longer name, most others only the older.
    if urlsplit(settings.base_url).hostname == "api.openai.com":
        request.max_completion_tokens = prompt.max_output_tokens
    else:
        request.max_tokens = prompt.max_output_tokens
    return _encode(request)


def _tool(tool: ToolDefinition, names: ToolNames) -> dict[str, object]:
    told = {
        "name": names.told(tool.name),
        "description": tool.description,
        "parameters": msgspec.Raw(tool.schema.encode()),
    }
    return {"type": "function", "function": told}


def encode_messages(
    messages: tuple[PromptMessage, ...], names: ToolNames
) -> list[dict[str, object]]:
    """The messages as the wire has them: plain text where there is nothing else."""
    return [_message(message, names) for message in messages]


def _message(message: PromptMessage, names: ToolNames) -> dict[str, object]:
    if message.answers is not None:
        return {"role": "tool", "tool_call_id": message.answers, "content": message.text}
    told: dict[str, object] = {"role": message.role, "content": _content(message)}
    if message.calls:
        told["tool_calls"] = [_call(call, names) for call in message.calls]
    return told


def _call(call: ToolCall, names: ToolNames) -> dict[str, object]:
    function = {"name": names.told(call.tool), "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def _content(message: PromptMessage) -> object:
    if message.kinds <= _TEXT:
        return message.text
    return [_part(part) for part in message.parts]


def _part(part: Part) -> dict[str, object]:
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": part.content}}
    return {"type": "text", "text": part.content}
