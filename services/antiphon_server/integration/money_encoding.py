"""The contract's Money <-> the domain's."""

from antiphon.integration.v1 import model_pb2
from antiphon_server.integration.ledger.model import Money
from antiphon_server.runtime.errors import invalid

_MOST = 10**15
"""A thousand millions of a currency's unit: sums of many such stay within 64 bits."""


def money(message: model_pb2.Money, field: str) -> Money:
    """The amount in the request's ``field``. Raises DomainError INVALID_ARGUMENT."""
    code = message.currency
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise invalid(f"{field}.currency", "a code of ISO 4217, such as USD")
    if not 0 <= message.micros <= _MOST:
        raise invalid(f"{field}.micros", "from 0 to a thousand millions of the currency")
    return Money(code, message.micros)


def encoded(it: Money) -> model_pb2.Money:
    """The amount."""
    return model_pb2.Money(currency=it.currency, micros=it.micros)
