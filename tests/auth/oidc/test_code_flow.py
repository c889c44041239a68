"""Signing in by a browser at an identity provider that keeps the rules."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

from tests.auth.oidc.issuer import CLIENT, Issuer
from tests.auth.oidc.rig import REDIRECT, Rig


async def test_whoever_signs_in_there_is_signed_in_here(rig: Rig) -> None:
    """The first time makes an account, the second time finds it."""
    first, second = await rig.whole(), await rig.whole()
    assert first.user == second.user
    assert (first.user.name, first.user.operator) == ("ann", False)
    assert first.tokens.session_id != second.tokens.session_id


async def test_the_browser_is_sent_with_all_that_binds_the_answer(rig: Rig) -> None:
    """The authorization request has state, nonce and PKCE's challenge, and no verifier."""
    started = await rig.start()
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(started.authorization_url).query).items()
    }
    assert asked["client_id"] == CLIENT
    assert asked["redirect_uri"] == REDIRECT
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) == 43
    assert started.login_secret not in started.authorization_url


async def test_the_verifier_is_shown_to_the_token_endpoint_alone(rig: Rig, issuer: Issuer) -> None:
    """Its hash is the challenge."""
    started = await rig.start()
    await rig.finish(await rig.answer(started))
    verifier = issuer.forms[0]["code_verifier"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    assert challenge.rstrip(b"=").decode() in started.authorization_url
    assert verifier not in started.authorization_url
