"""Guessers learn nothing, and lock nobody out of where they have been."""

import asyncio
import dataclasses
import math
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest
from argon2 import Parameters
from argon2.profiles import CHEAPEST

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.model import DAY, SECOND
from antiphon_server.auth.service.attempts import PER_NAME, PER_NAME_AND_ADDRESS
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import PASSWORD, World

HOME = "198.51.100.7"
AFAR = "198.51.100.8"
STRANGE = ("nobody", "no-password", "ro\0ot")
UNEVALUATED = "locked"
SAMPLES = 40
FAR_APART = 4.5
"""Standard deviations of the rank sum: by chance in one of 100,000 runs."""


async def guess(world: World, name: str, address: str, password: str = "wrong") -> Reason | None:
    """How a login ended; None for success."""
    try:
        await world.signing_in.login.by_password(name, password, "test", address)
    except DomainError as error:
        return error.reason
    return None


async def flood(world: World, name: str, addresses: int) -> list[Reason | None]:
    """Wrong guesses at a name from many places, 50 at once."""
    outcomes: list[Reason | None] = []
    for first in range(0, addresses, 50):
        some = (f"10.1.{n >> 8}.{n & 255}" for n in range(first, min(first + 50, addresses)))
        outcomes += await asyncio.gather(*(guess(world, name, address) for address in some))
    return outcomes


async def test_strangers_everywhere_do_not_lock_the_owner_out(world: World) -> None:
    """While 1,000 addresses guess, the owner signs in from where they have been before.

    Of the guesses no more than NIST's 100 are evaluated; sessions live on, and elsewhere
    the owner can sign in again within 15 minutes.
    """
    await world.user()
    tokens = (await world.signing_in.login.by_password("ann", PASSWORD, "test", HOME)).tokens
    before = world.hasher.evaluations
    flooding = asyncio.create_task(flood(world, "ann", 1_000))
    while not flooding.done():
        assert await guess(world, "Ann", HOME, PASSWORD) is None
        await asyncio.sleep(0.01)
    outcomes = await flooding
    assert outcomes.count(Reason.CREDENTIALS_INVALID) == PER_NAME
    assert outcomes.count(Reason.TOO_MANY_ATTEMPTS) == 1_000 - PER_NAME
    assert world.hasher.evaluations - before >= PER_NAME
    assert await guess(world, "ann", HOME, PASSWORD) is None
    assert await guess(world, "ann", AFAR, PASSWORD) is Reason.TOO_MANY_ATTEMPTS
    await world.verify(tokens.access_token)
    await world.refresh(tokens.refresh_token)
    world.clock.time += 15 * 60
    assert await guess(world, "ann", AFAR, PASSWORD) is None


async def test_the_owner_signing_in_gives_strangers_no_more_guesses(world: World) -> None:
    """However often they do, from a place that is known."""
    await world.user()
    assert await guess(world, "ann", HOME, PASSWORD) is None
    await flood(world, "ann", PER_NAME)
    for _ in range(10):
        assert await guess(world, "ann", HOME, PASSWORD) is None
    assert await guess(world, "ann", AFAR) is Reason.TOO_MANY_ATTEMPTS


async def test_a_known_place_has_no_more_guesses_than_another(world: World) -> None:
    """Five in 15 minutes, whoever sits there."""
    await world.user()
    assert await guess(world, "ann", HOME, PASSWORD) is None
    outcomes = await asyncio.gather(*(guess(world, "ann", HOME) for _ in range(200)))
    assert outcomes.count(Reason.CREDENTIALS_INVALID) == PER_NAME_AND_ADDRESS
    assert await guess(world, "ann", HOME, PASSWORD) is Reason.TOO_MANY_ATTEMPTS


@pytest.mark.parametrize(("days", "known"), [(89, True), (91, False)])
async def test_a_place_is_known_for_90_days(world: World, days: int, known: bool) -> None:
    """From the last time that the password was right there."""
    await world.user()
    assert await guess(world, "ann", HOME, PASSWORD) is None
    world.clock.time += days * DAY / SECOND
    await flood(world, "ann", PER_NAME)
    assert (await guess(world, "ann", HOME, PASSWORD) is None) == known


async def test_guesses_make_no_place_known(world: World) -> None:
    """Nor does another account's success there."""
    await world.user()
    await world.user("bob")
    await guess(world, "ann", HOME)
    assert await guess(world, "bob", HOME, PASSWORD) is None
    await flood(world, "ann", PER_NAME)
    assert await guess(world, "ann", HOME, PASSWORD) is Reason.TOO_MANY_ATTEMPTS


async def test_strangers_can_not_take_all_of_the_queue() -> None:
    """A quarter of the places to wait is for those who signed in from there before."""
    pool = Argon2Pool(CHEAPEST, threads=2, most_waiting=32)
    with ExitStack() as taken:
        for _ in range(2 + 24):
            taken.enter_context(pool.slot())
        with pytest.raises(DomainError) as refused:
            taken.enter_context(pool.slot())
        assert refused.value.reason is Reason.OVERLOADED
        for _ in range(8):
            taken.enter_context(pool.slot(reserved=True))
        with pytest.raises(DomainError):
            taken.enter_context(pool.slot(reserved=True))
    await pool.close()


async def test_times_do_not_tell_who_exists(world: World) -> None:
    """A wrong password of an account takes as long as any other refusal (Mann and Whitney's U).

    Taken in turns, so that a busy machine is as busy for all. That the statistic finds
    a difference is shown by refusals that evaluate nothing.
    """
    costly = Parameters(**dataclasses.asdict(CHEAPEST) | {"memory_cost": 8 << 10, "time_cost": 1})
    await world.restart(parameters=costly)
    await world.user("ann")
    await world.user("no-password", "")
    before = world.hasher.evaluations
    times: dict[str, list[float]] = {name: [] for name in ("ann", *STRANGE, UNEVALUATED)}
    for number in range(SAMPLES):
        for name, taken in times.items():
            began = time.perf_counter()
            outcome = await guess(world, name, f"192.0.2.{number}")
            taken.append(time.perf_counter() - began)
            assert outcome is not None
        if number == 0:
            await flood(world, UNEVALUATED, PER_NAME)
            before += PER_NAME - 1
    assert world.hasher.evaluations - before == (1 + len(STRANGE)) * SAMPLES + 1
    apart = {name: _apart(times["ann"], taken) for name, taken in times.items()}
    assert all(abs(apart[name]) < FAR_APART for name in STRANGE), apart
    assert apart[UNEVALUATED] > FAR_APART, apart


def _apart(ones: Sequence[float], others: Sequence[float]) -> float:
    """Standard deviations that the rank sum of ``ones`` is from chance."""
    ranked = sorted([(it, True) for it in ones] + [(it, False) for it in others])
    rank_sum = sum(rank for rank, (_, one) in enumerate(ranked, 1) if one)
    n, m = len(ones), len(others)
    return (rank_sum - n * (n + m + 1) / 2) / math.sqrt(n * m * (n + m + 1) / 12)
