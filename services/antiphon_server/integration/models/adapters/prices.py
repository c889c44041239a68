"""What is publicly known of models, from genai-prices; imported when first asked."""

import asyncio
import functools
from dataclasses import dataclass

from antiphon_server.integration.models.model import Prices
from antiphon_server.integration.models.settings import ModelSettings

# Prices have tiers; those of a prompt of this size stand for all.
_SAMPLE_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    prices: Prices
    context_tokens: int


async def known_prices(settings: ModelSettings) -> Prices | None:
    """What the provider publicly asks for the model, None if unknown."""
    known = await asyncio.to_thread(_look_up, settings.provider, settings.model)
    return known.prices if known else None


async def known_context(settings: ModelSettings) -> int:
    """The most tokens that its prompt and answer may have together, 0 if unknown.

    Whoever runs an endpoint of their own says so in its settings: for that nothing is loaded.
    """
    if not settings.is_public:
        return 0
    known = await asyncio.to_thread(_look_up, settings.provider, settings.model)
    return known.context_tokens if known else 0


@functools.cache
def _look_up(provider: str, model: str) -> _Known | None:
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
    prices = Prices(
        round(price.input_price * micros_per_million),
        round(price.output_price * micros_per_million),
    )
    return _Known(prices, price.model.context_window or 0)
