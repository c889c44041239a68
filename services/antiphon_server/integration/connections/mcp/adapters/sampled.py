"""What servers would have models asked: text alone, so long and so often at most."""

from typing import Any

import mcp_types as types

from antiphon_server.integration.connections.mcp.ports import Line, Sampled, Wanted

MOST_SAMPLES = 4
"""So often one call has models asked."""
MOST_LINES = 32
MAX_PROMPT = 64 * 1024
MAX_TOKENS = 1024


class NotSampled(Exception):
    """Says why a model is not asked."""


def wanted(params: types.CreateMessageRequestParams) -> Wanted:
    """What is to be asked, with nothing of the conversation. Raises NotSampled."""
    if params.tools or len(params.messages) > MOST_LINES:
        raise NotSampled(f"no tools are offered, nor more than {MOST_LINES} messages taken")
    lines = tuple(Line(it.role, _text(it.content)) for it in params.messages)
    instructions = params.system_prompt or ""
    if not lines or sum(len(it.text) for it in lines) + len(instructions) > MAX_PROMPT:
        raise NotSampled("a prompt has some text, and 65,536 characters of it at most")
    tokens = max(1, min(params.max_tokens, MAX_TOKENS))
    return Wanted(lines, instructions, tokens, params.temperature)


def told(sampled: Sampled) -> types.CreateMessageResult:
    """What the server is told of it."""
    return types.CreateMessageResult(
        role="assistant",
        content=types.TextContent(type="text", text=sampled.text),
        model=sampled.model,
        stop_reason="maxTokens" if sampled.cut else "endTurn",
    )


def _text(content: types.SamplingMessageContentBlock | list[Any]) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = [part.text for part in parts if isinstance(part, types.TextContent)]
    if len(texts) < len(parts):
        raise NotSampled("models are asked by text alone")
    return "\n".join(texts)
