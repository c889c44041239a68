"""Prices of known models, from genai-prices; imported when first asked."""

import asyncio
import functools

from antiphon_server.integration.models.model import Prices
from antiphon_server.integration.models.settings import ModelSettings

# Prices have tiers; those of a prompt of this size stand for all.
_SAMPLE_TOKENS = 1000


async def known_prices(settings: ModelSettings) -> Prices | None:
    """What the provider publicly asks for the model, None if unknown."""
    return await asyncio.to_thread(_look_up, settings.provider, settings.model)


@functools.cache
def _look_up(provider: str, model: str) -> Prices | None:
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    try:
        sample = Usage(input_tokens=_SAMPLE_TOKENS, output_tokens=_SAMPLE_TOKENS)
        price = calc_price(sample, model, provider_id=provider)
    except (LookupError, ValueError):
        return None
    micros_per_million = 1_000_000 * 1_000_000 // _SAMPLE_TOKENS
    return Prices(
        round(price.input_price * micros_per_million),
        round(price.output_price * micros_per_million),
    )
