"""A program: ``price_table.py PROVIDER MODEL`` says what is publicly known of a model.

How many tokens fit its context, 0 if unknown, and what it asks: ``Prices`` of pricing.py, in JSON;
``null`` instead of them where something of a call has a price that is not counted here (an hour of
sound, a page), or none; ``null`` alone if the model is not known.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, TypeAlias

_MICROS = 1_000_000
_A_THOUSAND = 1_000
# What is counted here, by the table's names.
_RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "cache_audio_read_mtok": "cached_audio",
    "requests_kcount": "request",
}
# What no call from here asks for.
_UNASKED = frozenset(
    {
        "cache_write_1h_mtok",
        "code_executions_kcount",
        "social_searches_kcount",
        "storage_searches_kcount",
        "web_searches_kcount",
    }
)
_WHOLE = frozenset({"input_mtok", "output_mtok"})
_FREE = {"rates": {"input": 0, "output": 0}}
Asked: TypeAlias = dict[str, Any]


def main(provider: str, model: str) -> None:
    """Look it up."""
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(Usage(), model, provider_id=provider).model
    except (LookupError, ValueError):
        print("null")
        return
    asked = asked_by(found, datetime.now(UTC))
    print(json.dumps({"context_tokens": found.context_window or 0, "prices": asked}))


def asked_by(model: Any, now: datetime) -> Asked | None:
    """What is asked from now on; the last that holds counts, as in the table."""
    given = model.prices if isinstance(model.prices, list) else None
    if given is None:
        return _held(model.id, model.prices)
    lasting = [at for at, one in enumerate(given) if _holds_for_good(one.constraint, now)]
    first = lasting[-1] if lasting else 0
    base, *changes = [(one.constraint, _held(model.id, one.prices)) for one in given[first:]]
    told = [{**asked, **_when(when)} for when, asked in changes if asked is not None]
    if base[1] is None or len(told) < len(changes):
        return None
    return {**base[1], "changes": told}


def _holds_for_good(constraint: Any, now: datetime) -> bool:
    begins = getattr(constraint, "start_date", None)
    return constraint is None or (begins is not None and begins <= now.date())


def _when(constraint: Any) -> Asked:
    begins = getattr(constraint, "start_date", None)
    if begins is not None:
        start = datetime.combine(begins, time(), UTC)
        return {"start_s": int(start.timestamp())}
    return {"daily": [_second(constraint.start_time), _second(constraint.end_time)]}


def _second(of_day: time) -> int:
    offset = of_day.utcoffset()
    ahead = int(offset.total_seconds()) if offset else 0
    return (of_day.hour * 3600 + of_day.minute * 60 + of_day.second - ahead) % 86400


def _held(model_id: str, prices: Any) -> Asked | None:
    """Rates and tiers, None if a call can't be priced by what is counted here."""
    known = {name: price for name, price in vars(prices).items() if price is not None}
    if not known:
        return _FREE if "free" in model_id else None
    if not known.keys() >= _WHOLE or known.keys() - _RATES.keys() - _UNASKED:
        return None
    counted = {name: price for name, price in known.items() if name in _RATES}
    tiers = [{"above": above, "rates": _rates(counted, above)} for above in _steps(counted)]
    return {"rates": _rates(counted, 0), "tiers": tiers}


def _steps(prices: Mapping[str, Any]) -> list[int]:
    """The lengths of prompts above which a price is another."""
    tiered: Iterable[Any] = (tier for price in prices.values() for tier in _tiers(price))
    return sorted({tier.start for tier in tiered})


def _rates(prices: Mapping[str, Any], above: int) -> dict[str, int]:
    """The rates of prompts that are just longer."""
    return {_RATES[name]: _micros(name, _price(price, above)) for name, price in prices.items()}


def _price(price: Any, above: int) -> Decimal:
    held: Decimal = getattr(price, "base", price)
    for tier in _tiers(price):
        if above >= tier.start:
            held = tier.price
    return held


def _tiers(price: Any) -> list[Any]:
    return getattr(price, "tiers", [])


def _micros(name: str, price: Decimal) -> int:
    return round(price * _MICROS / (_A_THOUSAND if name == "requests_kcount" else 1))


if __name__ == "__main__":
    main(*sys.argv[1:])
