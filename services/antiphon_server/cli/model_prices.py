"""What a model asks, as people read it."""

from collections.abc import Iterator

from antiphon.integration.v1.model_pb2 import Model, ModelPrices, Money
from antiphon_server.cli.amounts import decimal
from antiphon_server.cli.money import money_in_words

_KINDS = {
    "input": "read",
    "cached": "read, from the cache",
    "cache_write": "read, put into the cache",
    "audio_input": "heard",
    "cached_audio": "heard, from the cache",
    "output": "written",
    "reasoning": "thought",
    "audio_output": "spoken",
    "request": "a call",
}
"""The fields of ModelPrices, in the order in which they are shown."""
_PART_OF = {"cached_audio": "cached", "reasoning": "output", "audio_output": "output"}
"""Which price holds for a kind that has none of its own; that of input for all others."""


def in_short(model: Model) -> str:
    """What a million tokens cost, in and out, also of long prompts; and what a call does."""
    if not model.prices:
        return "unknown"
    if not any(getattr(it, kind).micros for it in model.prices for kind in _KINDS):
        return "free"
    first, *longer = model.prices
    told = [f"{_both(first)} {first.input.currency}"]
    told += [f"above {it.above_tokens:,} tokens {_both(it)}" for it in longer]
    return "; ".join(told)


def price_rows(model: Model) -> Iterator[tuple[str, ...]]:
    """A table of each kind of tokens that has a price of its own; its headings first."""
    lengths = [f"PROMPT ABOVE {it.above_tokens:,} TOKENS" for it in model.prices[1:]]
    yield ("A MILLION TOKENS", "PRICE" if not lengths else "SHORTER PROMPT", *lengths)
    for kind, name in _KINDS.items():
        if any(kind in _own(it) for it in model.prices):
            yield (name, *(_price(it, kind) for it in model.prices))


def _both(it: ModelPrices) -> str:
    cached = f" (cached {decimal(it.cached.micros)})" if it.HasField("cached") else ""
    call = f" + {decimal(it.request.micros)} a call" if it.request.micros else ""
    return f"{decimal(it.input.micros)}{cached} and {decimal(it.output.micros)}{call}"


def _own(prices: ModelPrices) -> set[str]:
    """The kinds that have a price of their own."""
    return {field.name for field, _ in prices.ListFields()}


def _price(prices: ModelPrices, kind: str) -> str:
    if kind == "request" or kind in _own(prices):
        asked = getattr(prices, kind).micros
        return money_in_words(Money(currency=prices.input.currency, micros=asked))
    return f"as {_KINDS[_PART_OF.get(kind, 'input')]}"
