"""What a model asks -> the contract's messages."""

from collections.abc import Iterator

from antiphon.integration.v1 import model_pb2 as pb
from antiphon_server.integration.models.pricing import Prices, Rates


def model_prices(prices: Prices) -> Iterator[pb.ModelPrices]:
    """Encode what is asked now, for prompts of any length and then for longer ones."""
    yield _rates(prices.rates, prices.currency)
    for tier in prices.tiers:
        yield _rates(tier.rates, prices.currency, tier.above)


def _rates(rates: Rates, currency: str, above: int = 0) -> pb.ModelPrices:
    kinds = {
        "input": rates.input,
        "output": rates.output,
        "cached": rates.cached,
        "cache_write": rates.cache_write,
        "reasoning": rates.reasoning,
        "audio_input": rates.audio_input,
        "cached_audio": rates.cached_audio,
        "audio_output": rates.audio_output,
        "request": rates.request or None,
    }
    known = {
        kind: pb.Money(currency=currency, micros=micros)
        for kind, micros in kinds.items()
        if micros is not None
    }
    return pb.ModelPrices(above_tokens=above, **known)
