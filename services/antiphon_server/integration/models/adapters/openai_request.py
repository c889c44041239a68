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


class LlamaOptions(msgspec.Struct, omit_defaults=True, frozen=True):
    """llama.cpp's own fields of a request.

    With ``return_progress`` it tells how far it has read; ``grammar`` is that of the answer. Up to
    ``dry_allowed_length`` tokens it may repeat as they were said before.
    """

    return_progress: bool = False
    grammar: str = ""
    dry_allowed_length: int | None = None


class _Request(LlamaOptions, omit_defaults=True, frozen=True, kw_only=True):
    model: str
    messages: list[dict[str, object]]
    stream: bool
    stream_options: dict[str, bool]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    tools: list[dict[str, object]] = []


_TEXT = frozenset({"text"})
_NO_OPTIONS = LlamaOptions()
_encode = msgspec.json.Encoder().encode


def encode_request(
    settings: ModelSettings,
    prompt: Prompt,
    names: ToolNames,
    options: LlamaOptions = _NO_OPTIONS,
) -> bytes:
    """The request's body."""
    # OpenAI's newer models know only the longer name, most others only the older.
    newer = urlsplit(settings.base_url).hostname == "api.openai.com"
    request = _Request(
        model=settings.model,
        messages=encode_messages(prompt.messages, names),
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=prompt.max_output_tokens if newer else None,
        max_tokens=None if newer else prompt.max_output_tokens,
        temperature=prompt.temperature,
        tools=[_tool(tool, names) for tool in prompt.tools],
        **msgspec.structs.asdict(options),
    )
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
