"""Guessing at devices' codes runs out for those who guess, and for nobody else."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from antiphon_server.auth.service.device_guesses import IN_ALL, OWN, PER_USER
from antiphon_server.auth.service.device_logins import MOST, MOST_OF_ADDRESS
from antiphon_server.auth.service.user_codes import LETTERS, new_user_code
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import Reason
from tests.auth.test_device_logins import claim, decide, person, start
from tests.auth.world import World, error, reason

EXPIRED, TOO_MANY = Reason.LOGIN_EXPIRED, Reason.TOO_MANY_ATTEMPTS


@pytest.fixture
async def spent(world: World) -> World:
    """The auth service after as many accounts as it takes have spent the guesses of all."""
    guessers = (f"eve{number:05}" for number in range(IN_ALL // (PER_USER - OWN)))
    guesses = await asyncio.gather(*(guess(world, name, PER_USER) for name in guessers))
    assert all(told == PER_USER * [EXPIRED] for told in guesses)
    return world


async def guess(
    world: World, name: str, times: int, code: Callable[[], str] = lambda: "wrong"
) -> list[Reason]:
    """What an account is told that types codes which it does not know."""
    caller = Principal("user", UserId(f"user_{name}"), SessionId("sess_x"))
    show = world.signing_in.device_decisions.show
    return [await reason(show(caller, code())) for _ in range(times)]


async def test_guessers_shut_out_nobody_else(spent: World) -> None:
    """Who mistypes once or twice still lets a device in; who goes on guessing is one of them."""
    ann, started = await person(spent), await start(spent)
    show = spent.signing_in.device_decisions.show
    for _ in range(OWN - 1):
        assert await reason(show(ann, "wrong")) is EXPIRED
    await decide(spent, ann, started.user_code)
    assert await guess(spent, "eve", OWN + 1) == OWN * [EXPIRED] + [TOO_MANY]


async def test_right_codes_give_back_no_guesses_of_others(spent: World) -> None:
    """Whoever types the right code of a device of their own gets what they took, no more."""
    ann, started = await person(spent), await start(spent)
    for _ in range(5):
        await spent.signing_in.device_decisions.show(ann, started.user_code)
    assert await guess(spent, "eve", OWN + 1) == OWN * [EXPIRED] + [TOO_MANY]


async def test_ten_thousand_guesses_hit_nothing(world: World) -> None:
    """0 accepted; of 1,000 accounts' 10,000 guesses at 20 devices 3,000 are looked up."""
    started = [await start(world) for _ in range(MOST_OF_ADDRESS)]
    guesses = (guess(world, f"{number:08}", 10, new_user_code) for number in range(1_000))
    told = Counter(why for each in await asyncio.gather(*guesses) for why in each)
    assert told.keys() == {EXPIRED, TOO_MANY}
    assert told.total() == 10_000
    looked_up = told[EXPIRED]
    assert looked_up == 1_000 * OWN + IN_ALL
    chance = looked_up * MOST / len(LETTERS) ** 8
    assert chance < 1.3e-4  # in 15 minutes, were all places taken
    for one in started:  # and nobody has decided about any
        assert await reason(claim(world, one)) is Reason.AUTHORIZATION_PENDING


async def test_one_user_guesses_ten_times(world: World) -> None:
    """Counted before they are looked up; others' devices go on, and right codes cost nothing."""
    ann, started = await person(world), await start(world)
    for _ in range(2 * PER_USER):
        await world.signing_in.device_decisions.show(ann, started.user_code)
    eve = Principal("user", UserId("user_eve00000"), SessionId("sess_x"))
    guesses = (world.signing_in.device_decisions.show(eve, new_user_code()) for _ in range(200))
    reasons = [it.reason for it in await asyncio.gather(*map(error, guesses))]
    assert reasons.count(Reason.LOGIN_EXPIRED) == PER_USER
    assert reasons.count(Reason.TOO_MANY_ATTEMPTS) == 200 - PER_USER
    right = world.signing_in.device_decisions.show(eve, started.user_code)
    assert await reason(right) is Reason.TOO_MANY_ATTEMPTS
    await decide(world, ann, started.user_code)
