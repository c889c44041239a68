"""Amounts of money, tokens and calls, as people write and read them."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from antiphon_server.cli.console import fail

if TYPE_CHECKING:
    from antiphon.integration.v1.budget_pb2 import BudgetLimit
    from antiphon.integration.v1.model_pb2 import Money

AMOUNTS = '"5 USD", "100000 tokens" or "500 calls", without commas'
PRICES = '"0.01 USD", or 0'
_MOST = 10**9
_MOST_WHOLE = 2**63 - 1
_WHOLE = re.compile(r"[0-9](?:[0-9_]*[0-9])?")
_NUMBER = re.compile(r"[0-9_]*\.?[0-9_]+")
_UNITS = ("token", "call")
_LONGEST = 40
"""Characters of what somebody wrote that are repeated."""


def limit_of(text: str) -> "BudgetLimit":
    """What "5 USD", "1000 tokens" and "1 call" mean; else the command ends."""
    from antiphon.integration.v1.budget_pb2 import BudgetLimit

    number, _, unit = text.strip().partition(" ")
    counted = unit.strip().lower().removesuffix("s")
    if counted not in _UNITS:
        return BudgetLimit(money=money_of(text, AMOUNTS))
    digits = number.replace("_", "")
    if "," in number or not _WHOLE.fullmatch(number):
        _refuse(text, _wrong_number(number) or f"{counted}s are whole numbers", AMOUNTS)
    if len(digits) > len(str(_MOST_WHOLE)) or int(digits) > _MOST_WHOLE:
        _refuse(text, "that is too much", AMOUNTS)
    whole = int(digits)
    return BudgetLimit(tokens=whole) if counted == "token" else BudgetLimit(calls=whole)


def money_of(text: str, forms: str) -> "Money":
    """What "5 USD" means, to the millionth; else the command ends with how amounts are written."""
    from antiphon.integration.v1.model_pb2 import Money

    number, _, currency = text.strip().partition(" ")
    currency = currency.strip()
    if wrong := _wrong_number(number) or _wrong_currency(currency):
        _refuse(text, wrong, forms)
    micros = Decimal(number.replace("_", "")).scaleb(6)
    if micros > _MOST * 1_000_000:
        _refuse(text, f"more than {_MOST:,}", forms)
    if micros != int(micros):
        _refuse(text, "finer than a millionth", forms)
    return Money(currency=currency.upper(), micros=int(micros))


def _wrong_number(number: str) -> str:
    """Why that is no number of an amount; empty where it is one."""
    if "," in number:
        return "commas stand in no amount"
    if number.startswith("-"):
        return "less than nothing"
    if re.fullmatch("[0-9._]+[eE][+-]?[0-9]+", number):
        return "all digits are written out"
    if re.search("[^0-9._]", number) and re.search("[0-9]", number):
        return "it is not a number, a blank and a unit"
    return "" if _NUMBER.fullmatch(number) and number.strip("_.") else "it begins with no number"


def _wrong_currency(currency: str) -> str:
    if not currency:
        return "it says no unit"
    is_code = len(currency) == 3 and currency.isascii() and currency.isalpha()
    return "" if is_code else "a currency is written by its code of three letters"


def _refuse(text: str, why: str, forms: str) -> NoReturn:
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    fail(f'"{shown}" is no amount ({why}); write {forms}', 2)


def money_in_words(amount: "Money") -> str:
    """As "5 USD"; without noughts behind."""
    whole, part = divmod(amount.micros, 1_000_000)
    digits = f"{whole:,}.{part:06}".rstrip("0").rstrip(".")
    return f"{digits} {amount.currency}"


def counted_in_words(number: int, unit: str) -> str:
    """As "1 call" and "2,000 tokens", of a unit in the plural."""
    return f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"
