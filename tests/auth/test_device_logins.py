"""Devices that are signed in from elsewhere: by the right code, once, by a person, in time."""

import asyncio
import string
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.auth.model import LoginMethod, SignedIn
from antiphon_server.auth.service.device_logins import PREFIX, Started
from antiphon_server.auth.service.key_format import new_secret
from antiphon_server.auth.service.user_codes import LETTERS, new_user_code, read_user_code
from antiphon_server.auth.service.user_updates import Wishes
from antiphon_server.runtime.access.permissions import Scope
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import PASSWORD, World, contents, error, reason

ADDRESS = "198.51.100.7"


async def person(world: World, name: str = "ann") -> Principal:
    """A person who is signed in."""
    await world.user(name)
    return await world.caller(name)


async def start(world: World, address: str = ADDRESS) -> Started:
    """A device that asks."""
    return await world.signing_in.device_logins.start("television", address)


async def claim(world: World, started: Started) -> SignedIn:
    """What the device asks again and again."""
    return await world.signing_in.device_logins.claim(started.device_code)


async def decide(world: World, caller: Principal, code: str, approve: bool = True) -> None:
    """Let a device in or refuse it."""
    await world.signing_in.device_decisions.decide(caller, code, approve)


async def test_a_device_is_let_in(world: World) -> None:
    """It waits, is shown with its place, and gets a session of its own as whoever let it in."""
    ann, started = await person(world), await start(world)
    pending = await error(claim(world, started))
    assert (pending.reason, pending.retry_after) == (Reason.AUTHORIZATION_PENDING, 5.0)
    shown = await world.signing_in.device_decisions.show(ann, started.user_code.lower())
    assert (shown.device, shown.address) == ("television", ADDRESS)
    await decide(world, ann, started.user_code.replace("-", " "))
    world.clock.time += 5
    signed_in = await claim(world, started)
    assert signed_in.user.user_id == ann.user_id
    session = await world.accounts.sessions.get(signed_in.tokens.session_id)
    assert session.session_id != ann.session_id
    assert (session.device, session.first_address) == ("television", ADDRESS)
    assert session.method is LoginMethod.DEVICE_CODE
    await world.verify(signed_in.tokens.access_token)
    world.clock.time += 11
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


async def test_a_lost_answer_is_given_again(world: World) -> None:
    """For 10 s, as to a refresh: the same session, and no other one is there.

    Though the login itself has expired meanwhile, and another one has begun.
    """
    ann, started = await person(world), await start(world)
    await decide(world, ann, started.user_code)
    world.clock.time += 595
    first = (await claim(world, started)).tokens
    world.clock.time += 10
    await start(world)
    again = (await claim(world, started)).tokens
    assert (again.session_id, again.refresh_token) == (first.session_id, first.refresh_token)
    await world.verify(again.access_token)
    assert len(await world.accounts.sessions.list_live(ann, "", None, 9)) == 2
    world.clock.time += 1
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


@pytest.mark.parametrize("over", ["refreshed", "revoked"])
async def test_an_answer_that_arrived_is_not_given_again(world: World, over: str) -> None:
    """Once the device has gone on with it, or it was ended, the code is worth nothing."""
    ann, started = await person(world), await start(world)
    await decide(world, ann, started.user_code)
    tokens = (await claim(world, started)).tokens
    if over == "refreshed":
        await world.refresh(tokens.refresh_token)
    else:
        await world.accounts.sessions.revoke(ann, tokens.session_id)
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


async def test_a_device_stays_approved_until_it_has_its_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails in between is made good by the next question: nobody types a code again."""

    async def full(*_: object) -> None:
        raise DomainError(Reason.STORE_UNAVAILABLE)

    ann, started = await person(world), await start(world)
    await decide(world, ann, started.user_code)
    with monkeypatch.context() as patched:
        patched.setattr(world.stores.sessions, "add", full)
        assert await reason(claim(world, started)) is Reason.STORE_UNAVAILABLE
    assert (await claim(world, started)).user.user_id == ann.user_id


async def test_a_refused_device_stays_out(world: World) -> None:
    """It is told so once, and then that all is over."""
    ann, started = await person(world), await start(world)
    await decide(world, ann, started.user_code, approve=False)
    assert await reason(claim(world, started)) is Reason.LOGIN_DENIED
    world.clock.time += 5
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


async def test_hasty_devices_are_slowed_down(world: World) -> None:
    """Each hasty question of one that waits adds 5 s to the interval (RFC 8628, 3.5)."""
    ann, started = await person(world), await start(world)
    await reason(claim(world, started))
    for wait in (10.0, 15.0, 20.0):
        world.clock.time += 4.9
        hasty = await error(claim(world, started))
        assert (hasty.reason, hasty.retry_after) == (Reason.SLOW_DOWN, wait)
    world.clock.time += 20
    assert await reason(claim(world, started)) is Reason.AUTHORIZATION_PENDING
    await decide(world, ann, started.user_code)
    await claim(world, started)


@pytest.mark.parametrize("approve", [True, False])
async def test_one_decides_once(world: World, approve: bool) -> None:
    """Of decisions at once, equal or not, of one or of many, one counts; none comes later."""
    people = [await person(world, f"ann{number}") for number in range(5)]
    for turn in range(6):
        started = await start(world, f"address {turn}")
        decisions = (
            decide(world, caller, started.user_code, approve ^ (number % 2 == 1))
            for number, caller in enumerate(people)
        )
        outcomes = await asyncio.gather(*decisions, return_exceptions=True)
        (winner,) = (number for number, outcome in enumerate(outcomes) if outcome is None)
        others = {getattr(it, "reason", it) for it in outcomes if it is not None}
        assert others == {Reason.LOGIN_EXPIRED}
        assert await reason(decide(world, people[0], started.user_code)) is Reason.LOGIN_EXPIRED
        asked = claim(world, started)
        if approve ^ (winner % 2 == 1):
            assert (await asked).user.user_id == people[winner].user_id
        else:
            assert await reason(asked) is Reason.LOGIN_DENIED
        world.clock.time += 900  # what lost was counted as a guess


async def test_parallel_questions_open_one_session(world: World) -> None:
    """50 at once, ten times: all get the same, as if but one had been answered."""
    ann = await person(world)
    for turn in range(10):
        started = await start(world, f"address {turn}")
        await decide(world, ann, started.user_code)
        questions = (claim(world, started) for _ in range(50))
        tokens = [answer.tokens for answer in await asyncio.gather(*questions)]
        assert len({(it.session_id, it.refresh_token) for it in tokens}) == 1
    live = await world.accounts.sessions.list_live(ann, "", None, 20)
    assert len(live) == 11


async def test_codes_die_after_ten_minutes(world: World) -> None:
    """They can neither be decided about nor collected, though they were let in before."""
    ann, late, decided = await person(world), await start(world), await start(world)
    await decide(world, ann, decided.user_code)
    world.clock.time += 600
    assert await reason(decide(world, ann, late.user_code)) is Reason.LOGIN_EXPIRED
    for started in (late, decided):
        assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


async def test_who_was_let_in_stays_out_if_the_owner_is_shut_out(world: World) -> None:
    """A disabling or another password between decision and question ends the login."""
    for number in range(2):
        ann, started = await person(world, f"ann{number}"), await start(world)
        await decide(world, ann, started.user_code)
        await world.accounts.user_updates.update(ann.user_id, Wishes(disabled=True))
        if number:
            await world.accounts.user_updates.update(ann.user_id, Wishes(disabled=False))
        expected = Reason.LOGIN_EXPIRED if number else Reason.USER_DISABLED
        assert await reason(claim(world, started)) is expected


@pytest.mark.parametrize("all_of_them", [True, False])
async def test_who_was_let_in_stays_out_if_that_session_ends(
    world: World, all_of_them: bool
) -> None:
    """Whoever ends a thief's session ends what it has let in: with all others, or it alone."""
    ann, started = await person(world), await start(world)
    await decide(world, ann, started.user_code)
    sessions = world.accounts.sessions
    if all_of_them:
        elsewhere = (await world.login()).tokens.session_id
        await sessions.revoke_all(replace(ann, session_id=elsewhere), "")
    else:
        await sessions.revoke(ann, ann.session_id)
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED


async def test_a_question_at_the_end_of_all_sessions_opens_none(world: World) -> None:
    """Whichever comes first: either the device stays out, or its session is ended too."""
    ann = await person(world)
    for turn in range(10):
        started = await start(world, f"address {turn}")
        lets_in = replace(ann, session_id=(await world.login()).tokens.session_id)
        await decide(world, lets_in, started.user_code)
        asked = claim(world, started)
        ending = world.accounts.sessions.revoke_all(ann, "")
        await asyncio.gather(
            *((asked, ending) if turn % 2 else (ending, asked)), return_exceptions=True
        )
        (left,) = await world.accounts.sessions.list_live(ann, "", None, 9)
        assert left.session_id == ann.session_id


async def test_only_people_let_devices_in(world: World) -> None:
    """Neither a limited session may, nor one of an API key, which ends with the key."""
    ann, started = await person(world), await start(world)
    limited = Principal("user", ann.user_id, ann.session_id, scopes=frozenset({Scope.ACCOUNT}))
    _, secret = await world.accounts.api_keys.create(ann.user_id, "ci", None)
    by_key = (await world.login_by_key(secret)).tokens.session_id
    for caller in (limited, Principal("user", ann.user_id, by_key)):
        assert await reason(decide(world, caller, started.user_code)) is Reason.PERMISSION_DENIED
    service = Principal("service", UserId("context"), SessionId(""))
    assert await reason(decide(world, service, started.user_code)) is Reason.NOT_FOUND
    await decide(world, ann, started.user_code)


@pytest.mark.parametrize(
    "code",
    ["", PREFIX, new_secret(), new_secret(PREFIX), "antd_\0", "x" * 99],
    ids=["nothing", "prefix", "key", "unknown", "zero", "long"],
)
async def test_what_is_no_device_code_is_over(world: World, code: str) -> None:
    """A code of this server's making that it does not know, and any other text."""
    assert await reason(world.signing_in.device_logins.claim(code)) is Reason.LOGIN_EXPIRED


def test_user_codes_are_easy_to_type() -> None:
    """Eight consonants in two groups; what people make of them is understood."""
    codes = {new_user_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert {letter for code in codes for letter in code} == {*LETTERS, "-"}
    assert not set(LETTERS) & set("AEIOUY" + string.digits)
    for code in codes:
        assert read_user_code(f" {code.lower()} ") == code.replace("-", "")
    for wrong in ("BCDF-GHJ", "BCDF-GHJKL", "ABCD-EFGH", "BCDF_GHJK", "ＢCDF-GHJK"):  # noqa: RUF001
        assert read_user_code(wrong) is None


async def test_a_crash_changes_nothing(world: World, tmp_path: Path) -> None:
    """Who waits, waits on; who was let in is in once; only hashes are in the files."""
    ann, started = await person(world), await start(world)
    await world.restart()
    assert await reason(claim(world, started)) is Reason.AUTHORIZATION_PENDING
    await decide(world, ann, started.user_code)
    await world.restart()
    world.clock.time += 5
    await claim(world, started)
    await world.restart()
    world.clock.time += 11
    assert await reason(claim(world, started)) is Reason.LOGIN_EXPIRED
    kept = contents(tmp_path)
    secrets = (started.device_code, started.user_code, started.user_code.replace("-", ""), PASSWORD)
    for secret in secrets:
        assert secret.encode() not in kept
