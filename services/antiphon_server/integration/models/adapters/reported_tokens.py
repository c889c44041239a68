"""Token counts as a provider reports them, made to add up."""

from antiphon_server.integration.models.pricing import Tokens

MAX_COUNT = 1 << 31
"""No call has as many tokens of a kind: sums of many calls stay within 64 bits."""


def reported(
    input: int,
    output: int,
    *,
    cached: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
    audio_input: int = 0,
    audio_output: int = 0,
    cached_audio: int = 0,
) -> Tokens:
    """The counts, none beyond what can be, each part no larger than the whole leaves it.

    Where what is cached and what is audio are more than the whole, so much is both.
    """
    input, output = min(input, MAX_COUNT), min(output, MAX_COUNT)
    cached = min(cached, input)
    cache_write = min(cache_write, input - cached)
    audio_input = min(audio_input, input - cache_write)
    both = max(cached_audio, cached + cache_write + audio_input - input)
    reasoning = min(reasoning, output)
    return Tokens(
        input,
        output,
        cached,
        cache_write,
        reasoning,
        audio_input,
        min(audio_output, output - reasoning),
        min(both, cached, audio_input),
    )
