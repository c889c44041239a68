"""An answer whose server is gone costs what one costs that was broken off at the same place."""

from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.model import (
    MODEL_CALL,
    Call,
    CallId,
    Outcome,
    Payer,
    Quantities,
    Rated,
    Usage,
)
from antiphon_server.integration.models.lost import CLOCKS_US, LostAnswers
from antiphon_server.integration.models.pricing import Prices, Rates, Tier, Tokens
from tests.integration.world import WORKSPACE, World

PAYER = Payer(WORKSPACE, "conv_00000001", "turn_00000001")
BEGAN_US = 1_800_000_000_000_000
LOW, HIGH = Rates(333_333, 7_777_777, request=5), Rates(1_000_001, 2_000_003)
PRICES = Prices(LOW, tiers=(Tier(100, HIGH),))


def _expected(prices: Prices | None, prompt: int) -> Usage:
    cost = prices.cost(Tokens(prompt, 0)) if prices else None
    return Usage(Quantities(prompt, 0), True, cost)


async def _lost(world: World, prices: Prices | None, prompt: int, most: int, said: int) -> Usage:
    """What is booked of a call of a server that is gone, which had said so many bytes."""
    rates = prices.rates_of(prompt) if prices else Rates(0, 0)
    rated = Rated(rates.input, rates.output, most)
    call = Call(CallId("call_1"), PAYER, MODEL_CALL, "x/y", BEGAN_US, _expected(prices, prompt))
    await world.ledger.open(replace(call, rated=rated), "gone")
    await world.ledger.abandon("gone")
    answers = LostAnswers(PricedCalls(world.ledger, "here"))
    for _ in range(2):  # who has not heard an answer asks again
        await answers.answered(PAYER, BEGAN_US + CLOCKS_US, said)
    (told,) = await world.calls()
    assert told.settlement.outcome is Outcome.UNKNOWN
    return told.settlement.usage


@pytest.mark.parametrize("prompt", [7, 101])
@pytest.mark.parametrize("said", [1, 4, 401])
async def test_it_costs_what_its_tokens_do_to_the_millionth(
    world: World, prompt: int, said: int
) -> None:
    """At the prices of its beginning, in the tier of its prompt, with what a request costs."""
    tokens = Tokens(prompt, -(-said // 4))
    used = await _lost(world, PRICES, prompt, 1_000, said)
    assert used == Usage(tokens.quantities, True, PRICES.cost(tokens))


async def test_no_more_is_counted_than_it_was_let_say(world: World) -> None:
    """As in an answer that was broken off."""
    used = await _lost(world, PRICES, 7, 20, 4_000)
    assert used == Usage(Quantities(7, 20), True, PRICES.cost(Tokens(7, 20)))


async def test_what_has_no_known_price_has_its_tokens_counted(world: World) -> None:
    """And costs what nobody knows."""
    assert await _lost(world, None, 7, 20, 16) == Usage(Quantities(7, 4), True, None)


async def test_of_a_server_from_before_nothing_is_added(world: World) -> None:
    """It did not write down by what its calls are rated."""
    assert await _lost(world, PRICES, 7, 0, 16) == _expected(PRICES, 7)


async def test_a_turn_without_such_a_call_is_nothing(world: World) -> None:
    """Whoever tells of it need not know what its handler did."""
    answers = LostAnswers(PricedCalls(world.ledger, "here"))
    await answers.answered(PAYER, BEGAN_US, 100)
    assert await world.calls() == []
