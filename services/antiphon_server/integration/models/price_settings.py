"""What a model asks, as configured: prices of a million tokens and of a call, in millionths."""

from typing import Annotated

import msgspec
from msgspec import Meta

from antiphon_server.integration.models.pricing import Prices, Rates, Tier

NotNegative = Annotated[int, Meta(ge=0)]
Price = Annotated[int, Meta(ge=0, le=10**12)]
"""Millionths for a million tokens, or for a call: at most a million of the currency's unit."""


class RateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of each kind of tokens; what has none of its own costs what it is a part of."""

    input_price_micros: Price | None = None
    output_price_micros: Price | None = None
    cached_price_micros: Price | None = None
    cache_write_price_micros: Price | None = None
    reasoning_price_micros: Price | None = None
    audio_input_price_micros: Price | None = None
    audio_output_price_micros: Price | None = None
    cached_audio_price_micros: Price | None = None
    request_price_micros: Price = 0

    @property
    def rates(self) -> Rates | None:
        """The prices, None if they are not given. Raises ValueError if only some are."""
        if self.input_price_micros is None or self.output_price_micros is None:
            if any(getattr(self, name) != default for name, default in _NOT_GIVEN.items()):
                raise ValueError("give input_price_micros and output_price_micros, or no price")
            return None
        return Rates(
            self.input_price_micros,
            self.output_price_micros,
            cached=self.cached_price_micros,
            cache_write=self.cache_write_price_micros,
            reasoning=self.reasoning_price_micros,
            audio_input=self.audio_input_price_micros,
            audio_output=self.audio_output_price_micros,
            cached_audio=self.cached_audio_price_micros,
            request=self.request_price_micros,
        )


_NOT_GIVEN = dict(
    zip(RateSettings.__struct_fields__, RateSettings.__struct_defaults__, strict=True)
)


class TierSettings(RateSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The prices of a call whose prompt has more than ``above_tokens``."""

    above_tokens: Annotated[int, Meta(gt=0)]


def configured_prices(
    rates: Rates | None, tiers: tuple[TierSettings, ...], currency: str
) -> Prices | None:
    """All of a model's prices, None if none are given. Raises ValueError if only some are."""
    found = [Tier(it.above_tokens, asked) for it in tiers if (asked := it.rates) is not None]
    if len(found) < len(tiers) or (found and rates is None):
        raise ValueError("long_context: give the prices of each length, and those of shorter ones")
    if rates is None:
        return None
    return Prices(rates, currency, tuple(sorted(found, key=lambda tier: tier.above)))
