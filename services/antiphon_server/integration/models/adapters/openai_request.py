"""The OpenAI wire's request: one JSON object.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from urllib.parse import urlsplit

import msgspec

from antiphon_server.integration.models.model import Part, Prompt, PromptMessage
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


_TEXT = frozenset({"text"})
_encode = msgspec.json.Encoder().encode


def encode_request(settings: ModelSettings, prompt: Prompt, *, progress: bool = False) -> bytes:
    """The request's body; with ``progress`` llama.cpp tells how far it has read."""
    request = _Request(
        settings.model,
        encode_messages(prompt.messages),
        True,
        {"include_usage": True},
        temperature=prompt.temperature,
        return_progress=progress,
    )
    # OpenAI's newer models know only the longer name, most others only the older.
    if urlsplit(settings.base_url).hostname == "api.openai.com":
        request.max_completion_tokens = prompt.max_output_tokens
    else:
        request.max_tokens = prompt.max_output_tokens
    return _encode(request)


def encode_messages(messages: tuple[PromptMessage, ...]) -> list[dict[str, object]]:
    """The messages as the wire has them: plain text where there is nothing else."""
    return [{"role": message.role, "content": _content(message)} for message in messages]


def _content(message: PromptMessage) -> object:
    if message.kinds <= _TEXT:
        return message.text
    return [_part(part) for part in message.parts]


def _part(part: Part) -> dict[str, object]:
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": part.content}}
    return {"type": "text", "text": part.content}
