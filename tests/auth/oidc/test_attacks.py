"""Nobody is signed in by an answer that is not the provider's, for us, and for this login."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Mapping
from typing import Any

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.oidc.attacks import (
    ANSWERS,
    BOUND,
    CLAIMS,
    EXPIRED,
    HUGE,
    REDIRECTS,
    TOKENS,
    Bend,
    Change,
    Forge,
)
from tests.auth.oidc.issuer import Issuer, ec_key, jwk
from tests.auth.oidc.rig import REDIRECT, Rig, changed
from tests.auth.world import error, reason


def table(attacks: Mapping[str, Any]) -> pytest.MarkDecorator:
    """A test for each row."""
    rows = [pytest.param(row, id=name) for name, row in attacks.items()]
    return pytest.mark.parametrize("row", rows)


async def check(rig: Rig, attempt: Awaitable[object]) -> str:
    """Which check the attempt failed; nobody got an account or a session by it."""
    refused = await error(attempt)
    assert refused.reason is Reason.PROVIDER_ANSWER_INVALID
    assert refused.metadata["provider"] == "first"
    await nobody(rig)
    return refused.metadata["check"]


async def nobody(rig: Rig) -> None:
    """No account was made."""
    assert await rig.world.stores.users.find("ann") is None


@table(ANSWERS)
async def test_an_answer_to_another_question_is_refused(rig: Rig, row: tuple[Change, str]) -> None:
    """State, issuer and code are those of this login, and a login is tried once."""
    honest = await rig.answer(await rig.start())
    assert await check(rig, rig.finish(row[0](honest))) == row[1]
    assert await reason(rig.finish(honest)) is Reason.LOGIN_EXPIRED


@table(EXPIRED)
async def test_a_login_is_ended_by_who_began_it(rig: Rig, row: Change) -> None:
    """Another's attempt neither succeeds nor spoils it."""
    honest = await rig.answer(await rig.start())
    assert await reason(rig.finish(row(honest))) is Reason.LOGIN_EXPIRED
    await nobody(rig)
    assert (await rig.finish(honest)).user.name == "ann"


@table(BOUND)
async def test_an_id_token_for_another_login_is_refused(
    rig: Rig, issuer: Issuer, row: tuple[Bend, str]
) -> None:
    """Even if the provider's own token endpoint gives it."""
    issuer.bend = row[0]
    assert await check(rig, rig.whole()) == row[1]


@table(CLAIMS)
async def test_an_id_token_for_somebody_else_is_refused(
    rig: Rig, issuer: Issuer, row: tuple[Bend, str]
) -> None:
    """Whether a backend holds it, or the provider's own token endpoint gives it."""
    token = issuer.signed(row[0](issuer.claims()))
    assert await check(rig, rig.exchange(token)) == row[1]
    issuer.bend = row[0]
    assert await check(rig, rig.whole()) == row[1]


@table(TOKENS)
async def test_an_id_token_that_it_did_not_sign_is_refused(
    rig: Rig, issuer: Issuer, row: tuple[Forge, str]
) -> None:
    """In both ways, by whatever algorithm; nothing that a token names is fetched."""
    issuer.sign = row[0]
    for attempt in (rig.exchange(row[0](issuer, issuer.claims())), rig.whole()):
        assert await check(rig, attempt) == row[1]
    assert issuer.fetched["keys"] <= 1


@table(HUGE)
async def test_a_huge_token_is_not_looked_at(rig: Rig, issuer: Issuer, row: Forge) -> None:
    """Neither one that somebody brings nor one that the provider answers."""
    assert await check(rig, rig.exchange(row(issuer, issuer.claims()))) == "form"
    issuer.sign = row
    assert await reason(rig.whole()) is Reason.PROVIDER_UNAVAILABLE


@pytest.mark.parametrize("uri", REDIRECTS)
async def test_a_browser_is_sent_back_to_no_other_place(rig: Rig, uri: str) -> None:
    """Only to a literal loopback address, or exactly where the settings say."""
    refused = await error(rig.start(redirect_uri=uri))
    assert refused.reason is Reason.INVALID_ARGUMENT
    assert [violation.field for violation in refused.violations] == ["redirect_uri"]


@pytest.mark.parametrize(
    "uri", [REDIRECT, "http://[::1]:1/", "http://127.0.0.1:65535", "http://127.0.0.1:80/a/b.c-d"]
)
async def test_a_browser_is_sent_back_to_any_loopback_port(rig: Rig, uri: str) -> None:
    """RFC 8252, 7.3."""
    assert (await rig.start(redirect_uri=uri)).authorization_url


async def test_an_answer_of_another_login_is_refused(rig: Rig) -> None:
    """Login CSRF: what the attacker began does not sign the victim's client in as the attacker."""
    mine, theirs = await rig.answer(await rig.start()), await rig.answer(await rig.start())
    injected = changed(code=theirs.code, state=theirs.state)(mine)
    assert await check(rig, rig.finish(injected)) == "state"


async def test_a_code_of_another_login_is_refused(rig: Rig) -> None:
    """PKCE: the code was issued for another challenge."""
    mine, theirs = await rig.answer(await rig.start()), await rig.answer(await rig.start())
    assert await check(rig, rig.finish(changed(code=theirs.code)(mine))) == "code"


async def test_a_code_is_redeemed_once(rig: Rig, issuer: Issuer) -> None:
    """Of 20 who bring the same answer at once, one is let in, and one alone asks the provider."""
    answer = await rig.answer(await rig.start())
    outcomes = await asyncio.gather(
        *(rig.finish(answer) for _ in range(20)), return_exceptions=True
    )
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    assert [one.reason for one in refused] == [Reason.LOGIN_EXPIRED] * 19
    assert len(issuer.forms) == 1


async def test_a_code_spent_elsewhere_is_refused(rig: Rig, issuer: Issuer) -> None:
    """Whoever stole it first and redeemed it, leaves nothing."""
    answer = await rig.answer(await rig.start())
    issuer.codes.clear()
    assert await check(rig, rig.finish(answer)) == "code"


async def test_a_flood_of_begun_logins_ends_nobody_elses(rig: Rig) -> None:
    """Whoever began before it ends theirs after it: strangers may begin as many as they like."""
    answer = await rig.answer(await rig.start())
    for _ in range(10_001):
        await rig.start()
    assert (await rig.finish(answer)).user.name == "ann"


async def test_a_login_is_what_it_was_when_it_began(rig: Rig) -> None:
    """Its id says where the browser comes back to and until when: nobody can change that."""
    answer = await rig.answer(await rig.start())
    said = json.loads(base64.urlsafe_b64decode(answer.login_id.removeprefix("login_")))
    for number, other in enumerate(["evil", "https://evil.example/", said[2] * 2, "other"]):
        forged = base64.urlsafe_b64encode(
            json.dumps([*said[:number], other, *said[number + 1 :]]).encode()
        )
        brought = changed(login_id=f"login_{forged.decode()}")(answer)
        assert await reason(rig.finish(brought)) is Reason.LOGIN_EXPIRED
    assert (await rig.finish(answer)).user.name == "ann"


async def test_a_login_is_over_after_ten_minutes(rig: Rig) -> None:
    """Not a moment later."""
    answer = await rig.answer(await rig.start())
    rig.clock.time += 600
    assert await reason(rig.finish(answer)) is Reason.LOGIN_EXPIRED


async def test_a_token_is_good_for_a_minute_after_its_end(rig: Rig, issuer: Issuer) -> None:
    """Clocks differ by so much, and no more."""
    token = issuer.signed(issuer.claims())
    rig.clock.time += 300 + 59
    assert (await rig.exchange(token)).user.name == "ann"
    rig.clock.time += 2
    assert (await error(rig.exchange(token))).metadata["check"] == "expiry"


async def test_a_nonce_that_a_backend_names_has_to_be_in_its_token(
    rig: Rig, issuer: Issuer
) -> None:
    """And one that it does not name may be."""
    token = issuer.signed(issuer.claims("mine"))
    assert await check(rig, rig.exchange(token, "another")) == "nonce"
    assert (await rig.exchange(token, "mine")).user.name == "ann"
    assert (await rig.exchange(issuer.signed(issuer.claims("theirs")))).user.name == "ann"


@pytest.mark.parametrize("end", [300, 1 << 52])
async def test_a_token_is_good_for_one_session(rig: Rig, issuer: Issuer, end: int) -> None:
    """Of 20 who bring it at once one is let in, until its end, however it is signed."""
    issuer.keys, claims = [jwk(ec_key())], issuer.claims(exp=int(rig.clock.time) + end)
    token, signed_again = (issuer.signed(claims, ec_key(), "ES256") for _ in range(2))
    assert token != signed_again
    outcomes = await asyncio.gather(
        *(rig.exchange(token) for _ in range(20)), return_exceptions=True
    )
    refused = [one.metadata["check"] for one in outcomes if isinstance(one, DomainError)]
    assert refused == ["replay"] * 19
    rig.clock.time += 300 + 59
    assert (await error(rig.exchange(token))).metadata["check"] == "replay"
    assert (await error(rig.exchange(signed_again))).metadata["check"] == "replay"


def test_there_are_enough_of_them() -> None:
    """What the tables try."""
    tried = len(ANSWERS) + len(EXPIRED) + 2 * len(CLAIMS) + len(BOUND) + 2 * len(TOKENS)
    print(f"{tried + len(REDIRECTS)} attacks, 0 accepted")
    assert tried >= 60
