"""The OpenAI wire's token counts, which its providers fill in each in its own way.

What a model thinks counts as output everywhere. OpenAI has it in ``completion_tokens``; xAI,
Perplexity and Google's own gateway beside them, and in ``total_tokens``.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any, TypeGuard

from antiphon_server.integration.models.adapters.reported_tokens import MAX_COUNT, reported
from antiphon_server.integration.models.pricing import Tokens

# Where it stands in the details; some have it beside them, by the same name or their own.
_CACHED = ("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens")
_REASONING = ("reasoning_tokens",)


def tokens_of(usage: Any) -> Tokens | None:
    """The counts, or None if one of the two wholes is missing or can't be: they are estimated."""
    if not isinstance(usage, dict):
        return None
    into, out = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (counts(into) and counts(out)):
        return None
    read, said = _details(usage, "prompt"), _details(usage, "completion")
    reasoning = _count(_REASONING, said, usage)
    beside = _beside(into, out, usage.get("total_tokens"), reasoning)
    return reported(
        into,
        out + beside,
        cached=_count(_CACHED, read, usage),
        cache_write=_count(("cache_write_tokens",), read),
        reasoning=max(reasoning, beside),
        audio_input=_count(("audio_tokens",), read),
        audio_output=_count(("audio_tokens",), said),
    )


def counts(value: object) -> TypeGuard[int]:
    """Whether that can be a count of tokens."""
    return type(value) is int and 0 <= value <= MAX_COUNT


def _beside(into: int, out: int, total: object, reasoning: int) -> int:
    """What the model thought that is not in ``out``."""
    if counts(total) and total > into + out:
        return total - into - out
    return reasoning if reasoning > out else 0


def _details(usage: dict[str, Any], of: str) -> dict[str, Any]:
    details = usage.get(f"{of}_tokens_details")
    return details if isinstance(details, dict) else {}


def _count(names: tuple[str, ...], *places: dict[str, Any]) -> int:
    """The first that is one, 0 if there is none."""
    found = (place.get(name) for place in places for name in names)
    return next((count for count in found if counts(count)), 0)
