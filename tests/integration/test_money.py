"""Amounts of money that requests name."""

from collections.abc import Callable

import pytest

from antiphon.integration.v1 import model_pb2
from antiphon_server.integration.ledger.model import (
    MOST_COST_MICROS,
    MOST_PRICE_MICROS,
    Money,
)
from antiphon_server.integration.money_encoding import money, price
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused


@pytest.mark.parametrize(("taken", "most"), [(money, MOST_COST_MICROS), (price, MOST_PRICE_MICROS)])
def test_amounts_are_bounded(taken: Callable[[model_pb2.Money, str], Money], most: int) -> None:
    """A price more than a limit: it is booked again and again, and sums stay within 64 bits."""
    assert taken(model_pb2.Money(currency="USD", micros=most), "x") == Money("USD", most)
    for micros in (-1, most + 1, 2**63 - 1):
        with Refused(Reason.INVALID_ARGUMENT):
            taken(model_pb2.Money(currency="USD", micros=micros), "x")
