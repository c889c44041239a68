"""Login by password: equal work, counted guesses, bounded hashing."""

import asyncio
import dataclasses
import unicodedata

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.service.attempts import PER_NAME
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import PASSWORD, World, error, reason


async def test_the_right_password_opens_a_session(world: World) -> None:
    """The tokens speak for the user, whose name may be written in any case."""
    user = await world.user("Ann")
    signed_in = await world.login("aNN")
    principal = await world.verify(signed_in.tokens.access_token)
    assert signed_in.user == user
    assert (principal.kind, principal.user_id, principal.operator) == ("user", user.user_id, False)
    assert principal.session_id == signed_in.tokens.session_id


@pytest.mark.parametrize("name", ["ann", "nobody", "no-password", "ro\0ot", "ö" * 64, " "])
async def test_every_refusal_costs_one_evaluation(world: World, name: str) -> None:
    """A wrong password, an unknown name and an impossible name cost and answer the same."""
    await world.user()
    await world.user("no-password", "")
    before = world.hasher.evaluations
    refused = await error(world.login(name, "wrong password"))
    assert (refused.reason, refused.metadata) == (Reason.CREDENTIALS_INVALID, {})
    assert world.hasher.evaluations == before + 1


async def test_the_decoy_is_as_costly_as_a_new_hash() -> None:
    """An unknown name is hashed with the parameters of new accounts."""
    pool = Argon2Pool(CHEAPEST)
    assert not pool.outdated(pool.decoy())
    assert not await pool.verify(pool.decoy(), b"anything")
    assert Argon2Pool().outdated(pool.decoy())
    assert not Argon2Pool().outdated(PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash("x"))
    await pool.close()


async def test_parallel_guesses_are_counted_before_they_are_evaluated(world: World) -> None:
    """Of 200 concurrent wrong guesses 5 are evaluated; the rest are told to wait for 15 min."""
    await world.user()
    before = world.hasher.evaluations
    guesses = (world.login(password=f"wrong {number}") for number in range(200))
    refusals = await asyncio.gather(*guesses, return_exceptions=True)
    assert world.hasher.evaluations - before == 5
    locked = [it for it in refusals if isinstance(it, DomainError) and it.retry_after is not None]
    assert len(locked) == 195
    assert {it.reason for it in locked} == {Reason.TOO_MANY_ATTEMPTS}
    assert {it.retry_after for it in locked} == {15 * 60}


async def test_a_lock_leaves_sessions_alone_and_ends_by_itself(world: World) -> None:
    """The locked name's sessions work and refresh; after the window the password does."""
    tokens = (await world.newcomer()).tokens
    for _ in range(5):
        assert await reason(world.login(password="wrong")) is Reason.CREDENTIALS_INVALID
    refused = await error(world.login())
    assert refused.reason is Reason.TOO_MANY_ATTEMPTS
    await world.verify(tokens.access_token)
    await world.refresh(tokens.refresh_token)
    world.clock.time += refused.retry_after or 0
    await world.login()


async def test_a_lock_holds_for_its_address_alone(world: World) -> None:
    """Who locks a name out from one address does not lock out its owner elsewhere."""
    await world.user()
    for _ in range(9):
        await reason(world.login(password="wrong"))
    await world.signing_in.login.by_password("ann", PASSWORD, "", "192.0.2.2")


async def test_many_addresses_share_a_ceiling(world: World) -> None:
    """Guesses at one name from everywhere run out as well; refused ones don't count."""
    await world.user()
    for number in range(PER_NAME):
        attempt = world.signing_in.login.by_password("ann", "wrong", "", f"address {number // 5}")
        assert await reason(attempt) is Reason.CREDENTIALS_INVALID
        await reason(world.signing_in.login.by_password("bob", "wrong", "", "192.0.2.3"))
    elsewhere = world.signing_in.login.by_password("ann", PASSWORD, "", "192.0.2.2")
    assert await reason(elsewhere) is Reason.TOO_MANY_ATTEMPTS
    bob = world.signing_in.login.by_password("bob", "wrong", "", "192.0.2.4")
    assert await reason(bob) is Reason.CREDENTIALS_INVALID


async def test_success_begins_the_count_anew(world: World) -> None:
    """Mistyping now and then never locks."""
    await world.user()
    for _ in range(3):
        for _ in range(4):
            assert await reason(world.login(password="wrong")) is Reason.CREDENTIALS_INVALID
        await world.login()


async def test_guesses_are_counted_across_a_restart(world: World) -> None:
    """A crash gives no new guesses."""
    await world.user()
    for _ in range(5):
        await reason(world.login(password="wrong"))
    await world.restart()
    assert await reason(world.login()) is Reason.TOO_MANY_ATTEMPTS


async def test_a_full_queue_refuses_and_does_not_count(world: World) -> None:
    """Logins beyond the bound are OVERLOADED at once, and are no guesses."""
    slow = dataclasses.replace(CHEAPEST, time_cost=3, memory_cost=32 * 1024)
    await world.restart(parameters=slow, most_waiting=0)
    await world.user()
    names = [f"user{number}" for number in range(20)]
    before = world.hasher.evaluations
    refusals = await asyncio.gather(*(world.login(name) for name in names), return_exceptions=True)
    reasons = [it.reason for it in refusals if isinstance(it, DomainError)]
    overloaded = reasons.count(Reason.OVERLOADED)
    assert overloaded == 18
    assert world.hasher.evaluations - before == 2
    waits = [it.retry_after for it in refusals if isinstance(it, DomainError)]
    assert all(wait for wait, why in zip(waits, reasons, strict=True) if why is Reason.OVERLOADED)
    for _ in range(4):  # OVERLOADED refusals have left all 5 guesses
        assert await reason(world.login("user19", "wrong")) is Reason.CREDENTIALS_INVALID


async def test_hashing_leaves_the_event_loop_free(world: World) -> None:
    """While passwords are hashed for real, nothing waits for them."""
    await world.restart(parameters=RFC_9106_LOW_MEMORY)
    logins = [asyncio.create_task(reason(world.login(f"user{n}"))) for n in range(6)]
    turns = 0
    while not all(login.done() for login in logins):
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 30  # hashing on the loop would leave it a few turns between two hashes
    assert world.hasher.evaluations == 6


async def test_a_hash_is_renewed_when_parameters_rise(world: World) -> None:
    """The next login stores a stronger hash, which the one after uses."""
    await world.user()
    await world.restart(parameters=dataclasses.replace(CHEAPEST, time_cost=2))
    await world.login()
    assert world.hasher.evaluations == 2
    stored = await world.stores.users.find("ann")
    assert stored is not None
    assert stored.password_hash is not None
    assert not world.hasher.outdated(stored.password_hash)
    await world.login()
    assert world.hasher.evaluations == 3


async def test_a_password_is_the_same_however_it_is_typed(world: World) -> None:
    """Composed and decomposed characters are one password; another case is another."""
    password = "pässwörter für Ångström"
    await world.user("ann", unicodedata.normalize("NFD", password))
    await world.login("ann", unicodedata.normalize("NFC", password))
    assert await reason(world.login("ann", password.upper())) is Reason.CREDENTIALS_INVALID


async def test_a_password_is_long_after_folding_too(world: World) -> None:
    """Twelve code points that fold into six are too short."""
    short = unicodedata.normalize("NFD", "äöüäöü")
    assert len(short) == 12
    assert await reason(world.user("ann", short)) is Reason.INVALID_ARGUMENT


async def test_a_device_holds_no_control_characters(world: World) -> None:
    """What a client says of itself can't steer the terminal it is shown on."""
    await world.user()
    signed_in = await world.signing_in.login.by_password("ann", PASSWORD, "a\x1b[2J\0b", "")
    session = await world.accounts.sessions.get(signed_in.tokens.session_id)
    assert session.device == "a[2Jb"
