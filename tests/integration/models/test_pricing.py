"""What calls cost by what they consumed, and the most that they may."""

import random
from dataclasses import replace

import pytest

from antiphon_server.integration.ledger.model import MOST_COST_MICROS, MOST_PRICE_MICROS, Money
from antiphon_server.integration.models.adapters.reported_tokens import reported
from antiphon_server.integration.models.pricing import Change, Prices, Rates, Tier, Tokens

# Each kind has a digit of its own.
RATES = Rates(
    input=1,
    output=10,
    cached=100,
    cache_write=1000,
    reasoning=10_000,
    audio_input=100_000,
    audio_output=1_000_000,
    cached_audio=10_000_000,
    request=7,
)
M = 1_000_000
DAY_US = 24 * 3600 * M


def micros(rates: Rates, tokens: Tokens) -> int:
    return Prices(rates).cost(tokens).micros


def test_each_token_is_priced_once() -> None:
    """By its own kind: 9 - 5 - 1 - 2 + 1 plain ones, and so on."""
    tokens = Tokens(9 * M, 8 * M, 5 * M, 1 * M, 3 * M, 2 * M, 1 * M, 1 * M)
    assert micros(RATES, tokens) == 2 + 4 * 10 + 4 * 100 + 1000 + 30_000 + 100_000 + M + 10 * M + 7


def test_what_has_no_price_of_its_own_costs_what_it_is_part_of() -> None:
    """Reasoning as output, audio as input, cached audio as what is cached."""
    tokens = Tokens(9 * M, 8 * M, 5 * M, 1 * M, 3 * M, 2 * M, 1 * M, 1 * M)
    assert micros(Rates(3, 5), tokens) == 9 * 3 + 8 * 5
    assert micros(Rates(3, 5, cached=1), tokens) == 4 * 3 + 5 * 1 + 8 * 5
    assert micros(Rates(3, 5, audio_input=7), tokens) == 7 * 3 + 2 * 7 + 8 * 5
    free = Rates(3, 5, cached=0, cache_write=0, reasoning=0, audio_input=0, audio_output=0)
    assert micros(free, tokens) == 2 * 3 + 4 * 5


def test_what_a_call_costs_can_be_booked() -> None:
    """Whatever it is said to have consumed, and at the highest prices that are taken."""
    dear = Prices(Rates(MOST_PRICE_MICROS, MOST_PRICE_MICROS, request=MOST_PRICE_MICROS))
    most = Money("USD", MOST_COST_MICROS)
    assert dear.cost(reported(2**62, 2**62)) == most
    assert dear.most(2**62, 2**62) == most
    assert dear.cost(Tokens(1000, 0)) == Money("USD", 10**9 + 10**12)


def test_prices_are_rounded_up_once_a_call() -> None:
    """And not for each kind; a request's is never rounded."""
    assert Prices(RATES).cost(Tokens(1, 1)) == Money("USD", 1 + 7)
    assert Prices(RATES, "EUR").cost(Tokens(0, 0)) == Money("EUR", 7)


def test_a_tier_counts_for_the_whole_call() -> None:
    """Once its prompt, cached tokens among it, is longer than that."""
    tiers = (Tier(200_000, Rates(2 * M, 3 * M)), Tier(400_000, Rates(4 * M, 6 * M)))
    prices = Prices(Rates(M, M), tiers=tiers)
    assert prices.cost(Tokens(200_000, 9)).micros == 200_000 + 9
    assert prices.cost(Tokens(200_001, 9, cached=200_000)).micros == 400_002 + 27
    assert prices.cost(Tokens(400_001, 9)).micros == 1_600_004 + 54


def test_prices_change_at_their_time() -> None:
    """The last that holds counts, also over midnight."""
    day, night = Rates(1, 1), Rates(2, 2)
    later = Change(Rates(3, 3), start_s=10 * 24 * 3600)
    prices = Prices(day, changes=(Change(night, daily=(79_200, 3600)), later))
    hours = {0: night, 1: day, 12: day, 22: night, 23: night}
    assert {hour: prices.at(hour * 3600 * M).rates for hour in hours} == hours
    assert prices.at(10 * DAY_US - 1).rates == night
    assert prices.at(10 * DAY_US) == Prices(Rates(3, 3))


@pytest.mark.parametrize("seed", range(20))
def test_no_call_costs_more_than_the_most(seed: int) -> None:
    """Whatever it consumes of what it may, at whatever time, by whatever prices."""
    rnd = random.Random(seed)
    for _ in range(500):
        prices = some_prices(rnd)
        limit_in, limit_out = rnd.choice((10, 1000, 10**6)), rnd.choice((10, 1000, 10**6))
        most = prices.most(limit_in, limit_out).micros
        silent = prices.most(limit_in, limit_out, audio=False).micros
        tokens = some_tokens(rnd, rnd.randint(0, limit_in), rnd.randint(0, limit_out))
        then = prices.at(rnd.randint(0, 30 * DAY_US))
        assert then.cost(tokens).micros <= most
        without = replace(tokens, audio_input=0, audio_output=0, cached_audio=0)
        assert then.cost(without).micros <= silent <= most


def test_the_most_is_no_more_than_it_has_to_be() -> None:
    """A call of the dearest kind in the dearest tier that it can come to costs that."""
    tiers = (Tier(1000, Rates(3 * M, 5 * M)), Tier(2000, Rates(100 * M, 100 * M)))
    prices = Prices(Rates(M, M, cached=0, cache_write=2 * M), tiers=tiers)
    assert prices.most(1000, 7).micros == 2000 + 7
    assert prices.most(2000, 7) == prices.cost(Tokens(2000, 7))


def some_prices(rnd: random.Random) -> Prices:
    tiers = tuple(Tier(above, some_rates(rnd)) for above in (500, 200_000)[: rnd.randint(0, 2)])
    changes = tuple(
        Change(some_rates(rnd), tiers, rnd.randint(0, 20) * 24 * 3600, rnd.choice((None, (9, 8))))
        for _ in range(rnd.randint(0, 2))
    )
    return Prices(some_rates(rnd), tiers=tiers, changes=changes)


def some_rates(rnd: random.Random) -> Rates:
    prices = [rnd.randint(0, 10**8) for _ in range(2)]
    return Rates(*prices, *(rnd.choice((None, rnd.randint(0, 10**8))) for _ in range(6)))


def some_tokens(rnd: random.Random, into: int, out: int) -> Tokens:
    cached = rnd.randint(0, into)
    write = rnd.randint(0, into - cached)
    cached_audio = rnd.randint(0, cached)
    audio = cached_audio + rnd.randint(0, into - cached - write)
    reasoning = rnd.randint(0, out)
    said = rnd.randint(0, out - reasoning)
    return Tokens(into, out, cached, write, reasoning, audio, said, cached_audio)
