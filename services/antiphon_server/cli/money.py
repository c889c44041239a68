"""Amounts of money, as people write and read them."""

from decimal import Decimal
from typing import TYPE_CHECKING

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon.integration.v1.model_pb2 import Money

_MOST = 10**9


def money_of(text: str) -> "Money":
    """What "5 USD" means; to the millionth."""
    from antiphon.integration.v1.model_pb2 import Money

    number, _, currency = text.strip().partition(" ")
    try:
        micros = Decimal(number.replace("_", "")) * 1_000_000
        is_code = len(currency) == 3 and currency.isascii() and currency.isalpha()
        if not (is_code and 0 <= micros <= _MOST * 1_000_000 and micros == int(micros)):
            raise ValueError
    except (ArithmeticError, ValueError):
        fail(f'"{text}" is no amount; write "5 USD"', 2)
    return Money(currency=currency.upper(), micros=int(micros))


def money_in_words(amount: "Money") -> str:
    """As "5 USD"; without noughts behind."""
    whole, part = divmod(amount.micros, 1_000_000)
    digits = f"{whole:,}.{part:06}".rstrip("0").rstrip(".")
    return f"{digits} {amount.currency}"
