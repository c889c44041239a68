"""Amounts of money and counts, as people read and programs sum them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from antiphon.integration.v1.model_pb2 import Money


def decimal(micros: int) -> str:
    """Millionths as a decimal number, exactly."""
    return f"{Decimal(micros).scaleb(-6).normalize():f}"


def written(sums: Mapping[str, int]) -> str:
    """Amounts by currency, such as "1,200.5 USD + 3 EUR"; "" where there are none."""
    return " + ".join(
        f"{Decimal(micros).scaleb(-6).normalize():,f} {currency}"
        for currency, micros in sorted(sums.items())
    )


def summed(amounts: Iterable[Money]) -> dict[str, int]:
    """Millionths by currency."""
    sums = defaultdict[str, int](int)
    for it in amounts:
        sums[it.currency] += it.micros
    return dict(sums)
