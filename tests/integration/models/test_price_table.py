"""What the program says of each model of genai-prices' table, held against its own arithmetic."""

import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

import msgspec
import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelPrice, TieredPrices

from antiphon_server.integration.models.adapters.price_table import asked_by
from antiphon_server.integration.models.pricing import Prices, Tokens

NOW = datetime.now(UTC)
WITHOUT = {"elevenlabs", "openai-decisions", "typesafe", "voyageai"}
"""Those with no model whose price is by what is counted here alone."""
PROVIDERS = {provider.id: provider for provider in get_snapshot().providers}


def prices_of(model: Any) -> Prices | None:
    """As the program prints them and a server reads them."""
    return msgspec.convert(asked_by(model, NOW), Prices | None)


def some_tokens(rnd: random.Random) -> Tokens:
    read = rnd.choice((rnd.randrange(2000), rnd.randrange(1_000_000)))
    said = rnd.randrange(50_000)
    cached, heard = rnd.randint(0, read), 0
    written = rnd.randint(0, read - cached)
    both = rnd.randint(0, cached)
    heard = both + rnd.randint(0, read - cached - written)
    thought = rnd.randint(0, said)
    return Tokens(read, said, cached, written, thought, heard, rnd.randint(0, said - thought), both)


def public(tokens: Tokens) -> Usage:
    """The same as genai-prices has them."""
    return Usage(
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        output_reasoning_tokens=tokens.reasoning,
        input_audio_tokens=tokens.audio_input,
        output_audio_tokens=tokens.audio_output,
        cache_audio_read_tokens=tokens.cached_audio,
    )


def is_exact(price: ModelPrice) -> bool:
    """Whether all prices are whole millionths; some of the table are a division's result."""
    given = [it for name, it in vars(price).items() if it is not None and name.endswith("_mtok")]
    flat = [it for it in given if isinstance(it, Decimal)]
    tiers = [it for it in given if isinstance(it, TieredPrices)]
    steps = [price for it in tiers for price in (it.base, *(tier.price for tier in it.tiers))]
    return all(it * 1_000_000 % 1 == 0 for it in flat + steps)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_model_costs_what_the_table_says(provider: str) -> None:
    """Whatever is consumed of it, whenever: to the millionth."""
    rnd, priced = random.Random(provider), 0
    for model in PROVIDERS[provider].models:
        prices = prices_of(model)
        if prices is None:
            continue
        priced += 1
        for _ in range(4):
            tokens = some_tokens(rnd)
            then = NOW + timedelta(seconds=rnd.randrange(60 * 24 * 3600))
            told = model.calc_price(
                public(tokens), PROVIDERS[provider], genai_request_timestamp=then
            )
            expected = (told.total_price * 1_000_000).to_integral_value(ROUND_CEILING)
            cost = prices.at(int(then.timestamp() * 1_000_000)).cost(tokens).micros
            slack = 0 if is_exact(told.model_price) else 1
            assert abs(cost - expected) <= slack, (model.id, tokens, then)
    assert priced or provider in WITHOUT


def test_most_models_have_a_known_price() -> None:
    """Those that have none are free ones that don't say so, embeddings, or counted otherwise."""
    models = [model for provider in PROVIDERS.values() for model in provider.models]
    known = [model for model in models if prices_of(model) is not None]
    assert len(known) > 0.9 * len(models)
