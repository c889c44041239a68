"""Whom an identity signs in, and who decides that."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon_server.auth.model import LoginMethod, UserKind
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.installation import NAMES
from antiphon_server.runtime.errors import Reason
from tests.auth.oidc.issuer import Issuer
from tests.auth.oidc.rig import Rig, open_rig, settings_for
from tests.auth.world import OPERATOR, error, reason


@pytest.fixture
async def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """The service where nobody signs up."""
    async with open_rig(tmp_path, monkeypatch, sign_up=False) as opened:
        yield opened


async def test_a_stranger_is_told_whom_to_have_linked(closed: Rig) -> None:
    """Without sign-up nobody gets an account."""
    refused = await error(closed.whole())
    assert refused.reason is Reason.IDENTITY_UNKNOWN
    assert refused.metadata == {
        "provider": "first",
        "issuer": closed.issuer.issuer,
        "subject": "sub-ann",
    }


async def test_who_is_linked_is_signed_in(closed: Rig) -> None:
    """The session says by which provider."""
    user = await closed.world.user("anna")
    await closed.link(user)
    signed_in = await closed.whole()
    assert signed_in.user.user_id == user.user_id
    session = await closed.world.stores.sessions.get(signed_in.tokens.session_id)
    assert session is not None
    assert (session.method, session.provider) == (LoginMethod.AUTHORIZATION_CODE, "first")
    [identity] = await closed.world.signing_in.identity_links.list_of(OPERATOR, user.user_id)
    assert identity.last_use_time is not None


async def test_who_is_unlinked_is_out(closed: Rig) -> None:
    """Sessions that the provider opened end; one by password lives on."""
    user = await closed.world.user("anna")
    await closed.link(user)
    theirs, own = await closed.whole(), await closed.world.login("anna")
    await closed.world.signing_in.identity_links.unlink(closed.issuer.issuer, "sub-ann")
    verify = closed.world.auth.verifier.verify
    assert await reason(verify(theirs.tokens.access_token)) is Reason.SESSION_REVOKED
    assert (await verify(own.tokens.access_token)).user_id == user.user_id
    assert await reason(closed.whole()) is Reason.IDENTITY_UNKNOWN


async def test_an_identity_belongs_to_one_user(closed: Rig) -> None:
    """To link it again to the same one is no error."""
    ann, bob = await closed.world.user("ann"), await closed.world.user("bob")
    await closed.link(ann)
    await closed.link(ann)
    assert await reason(closed.link(bob)) is Reason.ALREADY_EXISTS
    assert len(await closed.world.stores.identities.list_of(ann.user_id)) == 1


async def test_twenty_identities_are_enough(closed: Rig) -> None:
    """One more is refused."""
    ann = await closed.world.user("ann")
    for number in range(20):
        await closed.link(ann, f"sub-{number}")
    assert await reason(closed.link(ann, "sub-20")) is Reason.LIMIT_EXCEEDED


async def test_nobody_is_told_what_was_never_linked(closed: Rig) -> None:
    """And nothing is unlinked twice."""
    unlink = closed.world.signing_in.identity_links.unlink
    assert await reason(unlink(closed.issuer.issuer, "sub-x")) is Reason.NOT_FOUND


async def test_an_account_is_never_taken_over_by_its_name(rig: Rig) -> None:
    """Whoever signs up under a name that is taken gets another one."""
    ann = await rig.world.user("ann")
    signed_in = await rig.whole()
    assert signed_in.user.user_id != ann.user_id
    assert signed_in.user.name.startswith("ann-")
    assert (await rig.whole()).user == signed_in.user


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"preferred_username": "Ann.Smith@Example.org"}, "ann.smith"),
        ({"email": "rooty@evil.example"}, "rooty"),
        ({"preferred_username": "\u0430nn"}, "nn"),
        ({"preferred_username": "../../etc\x00"}, "etc"),
        ({"preferred_username": "@@@", "name": "Ann Smith"}, "ann-smith"),
        ({"preferred_username": 7, "email": None}, "user"),
        ({"preferred_username": "x" * 10_000}, "x" * 48),
        ({}, "user"),
    ],
)
async def test_a_name_is_made_of_plain_characters(
    rig: Rig, issuer: Issuer, profile: dict[str, object], name: str
) -> None:
    """Nothing of what a provider says can make a name that looks like another's."""
    issuer.profile = profile
    assert (await rig.whole()).user.name == name


@pytest.mark.parametrize(
    "name", ["root", "Admin@evil.example", "test", "anonymous", "-system-", *NAMES]
)
async def test_nobody_signs_up_as_an_authority(rig: Rig, issuer: Issuer, name: str) -> None:
    """What the installation or its operator may want to be called gets a number."""
    issuer.profile = {"preferred_username": name}
    given = (await rig.whole()).user.name
    assert re.fullmatch(r"[a-z]+-\d{6}", given)


async def test_a_program_signs_in_at_no_provider(closed: Rig) -> None:
    """It would get a session that can be refreshed."""
    program = await closed.world.user("worker", "", kind=UserKind.PROGRAM)
    assert await reason(closed.link(program)) is Reason.INVALID_ARGUMENT
    assert await reason(closed.whole()) is Reason.IDENTITY_UNKNOWN


async def test_who_is_unlinked_is_out_of_every_provider_of_the_issuer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings may name one issuer twice."""
    async with open_rig(
        tmp_path,
        monkeypatch,
        settings=lambda it: [settings_for(it.issuer, name) for name in ("first", "second")],
    ) as rig:
        await rig.link(await rig.world.user("anna"))
        opened = await rig.finish(await rig.answer(await rig.start("second")))
        await rig.world.signing_in.identity_links.unlink(rig.issuer.issuer, "sub-ann")
        verify = rig.world.auth.verifier.verify
        assert await reason(verify(opened.tokens.access_token)) is Reason.SESSION_REVOKED


async def test_a_disabled_account_stays_out(closed: Rig) -> None:
    """Whatever its provider says."""
    ann = await closed.world.user("ann")
    await closed.link(ann)
    await closed.world.stores.users.change(
        ann.user_id, lambda user: replace(user, disabled=True), 0, unrecorded
    )
    assert await reason(closed.whole()) is Reason.USER_DISABLED
