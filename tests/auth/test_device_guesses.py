"""Guessing at devices' codes runs out for those who guess, and for nobody else."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from antiphon_server.auth.service.device_guesses import IN_ALL, OWN, PER_USER
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.principal import Principal, SessionId, UserId
from tests.auth.test_device_logins import decide, person, start
from tests.auth.world import World, open_world, reason

EXPIRED, TOO_MANY = Reason.LOGIN_EXPIRED, Reason.TOO_MANY_ATTEMPTS


@pytest.fixture
async def spent(tmp_path: Path) -> AsyncIterator[World]:
    """The auth service after as many accounts as it takes have spent the guesses of all."""
    world = await open_world(tmp_path)
    for number in range(IN_ALL // (PER_USER - OWN)):
        assert await guess(world, f"eve{number:05}", PER_USER) == PER_USER * [EXPIRED]
    yield world
    await world.close()


async def guess(world: World, name: str, times: int) -> list[Reason]:
    """What an account is told that types wrong codes."""
    caller = Principal("user", UserId(f"user_{name}"), SessionId("sess_x"))
    show = world.auth.device_decisions.show
    return [await reason(show(caller, "wrong")) for _ in range(times)]


async def test_guessers_shut_out_nobody_else(spent: World) -> None:
    """Who mistypes once or twice still lets a device in; who goes on guessing is one of them."""
    ann, started = await person(spent), await start(spent)
    show = spent.auth.device_decisions.show
    for _ in range(OWN - 1):
        assert await reason(show(ann, "wrong")) is EXPIRED
    await decide(spent, ann, started.user_code)
    assert await guess(spent, "eve", OWN + 1) == OWN * [EXPIRED] + [TOO_MANY]


async def test_right_codes_give_back_no_guesses_of_others(spent: World) -> None:
    """Whoever types the right code of a device of their own gets what they took, no more."""
    ann, started = await person(spent), await start(spent)
    for _ in range(5):
        await spent.auth.device_decisions.show(ann, started.user_code)
    assert await guess(spent, "eve", OWN + 1) == OWN * [EXPIRED] + [TOO_MANY]
