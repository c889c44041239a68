"""The contract's Money <-> the domain's."""

from antiphon.integration.v1 import model_pb2
from antiphon_server.integration.ledger.model import MOST_COST_MICROS, MOST_PRICE_MICROS, Money
from antiphon_server.runtime.errors import invalid


def money(message: model_pb2.Money, field: str, most: int = MOST_COST_MICROS) -> Money:
    """The amount in the request's ``field``, in micros up to ``most``.

    Raises DomainError INVALID_ARGUMENT.
    """
    code = message.currency
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise invalid(f"{field}.currency", "a code of ISO 4217, such as USD")
    if not 0 <= message.micros <= most:
        units = most // 1_000_000
        raise invalid(f"{field}.micros", f"from 0 to {most} (that are {units:,} {code})")
    return Money(code, message.micros)


def price(message: model_pb2.Money, field: str) -> Money:
    """What a call costs. Raises DomainError INVALID_ARGUMENT."""
    return money(message, field, MOST_PRICE_MICROS)


def encoded(it: Money) -> model_pb2.Money:
    """The amount."""
    return model_pb2.Money(currency=it.currency, micros=it.micros)
