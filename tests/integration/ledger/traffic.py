"""A day of calls to real models: what each provider's answer says of it, on its own wire."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

DAY_S = 24 * 3600
NOON_S = 1_795_608_000  # 2026-11-25
Report: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Used:
    """What a call consumed, whoever reports it; parts as in pricing.py."""

    read: int
    said: int
    cached: int = 0
    written: int = 0
    thought: int = 0
    heard: int = 0
    spoken: int = 0
    cached_sound: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A model, how its provider reports, and what of it is used."""

    name: str
    wire: Callable[[Used], Report]
    flavour: str = "chat"
    longest: int = 60_000
    caches: bool = True
    writes: bool = False
    thinks: bool = False
    sound: bool = False
    cached_sound: bool = False


@dataclass(frozen=True, slots=True)
class Traffic:
    """A call: when it began, and what its provider's answer says."""

    asked: Asked
    start_us: int
    report: Report


def on_openai(used: Used) -> Report:
    """Parts are in the details, and all of them in the two wholes."""
    return {
        "prompt_tokens": used.read,
        "completion_tokens": used.said,
        "total_tokens": used.read + used.said,
        "prompt_tokens_details": {
            "cached_tokens": used.cached,
            "cache_write_tokens": used.written,
            "audio_tokens": used.heard,
        },
        "completion_tokens_details": {
            "reasoning_tokens": used.thought,
            "audio_tokens": used.spoken,
        },
    }


def on_xai(used: Used) -> Report:
    """What is thought stands beside what is said, and is in the sum."""
    return on_openai(used) | {"completion_tokens": used.said - used.thought}


def on_anthropic(used: Used) -> Report:
    """What the cache takes and gives stands beside the rest of the prompt."""
    return {
        "input_tokens": used.read - used.cached - used.written,
        "cache_read_input_tokens": used.cached,
        "cache_creation_input_tokens": used.written,
        "output_tokens": used.said,
    }


def on_google(used: Used) -> Report:
    """What is thought stands beside what is said; sound is told by itself."""
    text, cached_text = used.read - used.heard, used.cached - used.cached_sound
    return {
        "promptTokenCount": used.read,
        "cachedContentTokenCount": used.cached,
        "cacheTokensDetails": _by_modality(TEXT=cached_text, AUDIO=used.cached_sound),
        "promptTokensDetails": _by_modality(TEXT=text, AUDIO=used.heard),
        "candidatesTokenCount": used.said - used.thought,
        "thoughtsTokenCount": used.thought,
        "totalTokenCount": used.read + used.said,
    }


def _by_modality(**counts: int) -> list[dict[str, object]]:
    return [{"modality": name, "tokenCount": count} for name, count in counts.items()]


LONG = 600_000
MODELS = (
    Asked("openai/gpt-5.4", on_openai, longest=LONG, thinks=True),
    Asked("openai/gpt-5.6-sol", on_openai, longest=LONG, writes=True, thinks=True),
    Asked("openai/gpt-audio", on_openai, caches=False, sound=True),
    Asked("openai/gpt-4.1-mini", on_openai),
    Asked("anthropic/claude-sonnet-4-5", on_anthropic, "default", longest=LONG, writes=True),
    Asked("anthropic/claude-haiku-5-5", on_anthropic, "default", longest=LONG, writes=True),
    Asked("google/gemini-2.5-pro", on_google, "default", longest=LONG, thinks=True),
    Asked("google/gemini-2.5-flash", on_google, "default", sound=True, cached_sound=True),
    Asked("x-ai/grok-4.5", on_xai, longest=LONG, thinks=True),
    Asked("deepseek/deepseek-flash", on_openai, thinks=True),
    Asked("groq/openai/gpt-oss-120b", on_openai, "default", thinks=True),
    Asked("mistral/mistral-large-latest", on_openai, "default"),
    Asked("openrouter/x-ai/grok-4-fast", on_openai, longest=LONG, thinks=True),
    Asked("perplexity/sonar", on_openai, "default", caches=False),
)


def a_day(seed: int, calls: int) -> Iterator[Traffic]:
    """So many calls at any time of a day, to all of the models."""
    rnd = random.Random(seed)
    for number in range(calls):
        asked = MODELS[number % len(MODELS)]
        start_us = (NOON_S - DAY_S // 2) * 1_000_000 + rnd.randrange(DAY_S * 1_000_000)
        yield Traffic(asked, start_us, asked.wire(_used(rnd, asked)))


def _used(rnd: random.Random, asked: Asked) -> Used:
    read = rnd.choice((0, 1, rnd.randrange(2000), rnd.randrange(asked.longest), _edge(rnd)))
    said = rnd.choice((0, 1, rnd.randrange(500), rnd.randrange(20_000)))
    heard = rnd.randint(0, read) if asked.sound else 0
    cached_sound = rnd.randint(0, heard) if asked.cached_sound else 0
    silent = read - heard
    cached = rnd.choice((0, silent, rnd.randint(0, silent))) if asked.caches else 0
    written = rnd.choice((0, rnd.randint(0, silent - cached))) if asked.writes else 0
    thought = rnd.choice((0, rnd.randint(0, said))) if asked.thinks else 0
    spoken = rnd.randint(0, said - thought) if asked.sound and not asked.cached_sound else 0
    return Used(read, said, cached + cached_sound, written, thought, heard, spoken, cached_sound)


def _edge(rnd: random.Random) -> int:
    """Where prices change, as far as prompts are that long; one less and one more."""
    return rnd.choice((100_000, 128_000, 199_999, 200_000, 272_000)) + rnd.randint(-1, 1)
