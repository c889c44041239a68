"""A provider's keys: fetched seldom, kept through outages, taken from nowhere else."""

import asyncio

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.oidc.issuer import Issuer, ec_key, ed_key, jwk, rsa_key
from tests.auth.oidc.rig import Rig
from tests.auth.world import error, reason


async def test_a_thousand_unknown_keys_cost_one_fetch_in_30_s(rig: Rig, issuer: Issuer) -> None:
    """However many tokens name keys that nobody knows."""
    forged = [issuer.signed(issuer.claims(), kid=f"kid-{number}") for number in range(1000)]
    for first in range(0, 1000, 100):
        refused = await asyncio.gather(
            *(rig.exchange(token) for token in forged[first : first + 100]),
            return_exceptions=True,
        )
        assert {one.metadata["check"] for one in refused if isinstance(one, DomainError)} == {"key"}
        assert all(isinstance(one, DomainError) for one in refused)
    print(f"fetches of the key set for 1,000 unknown keys: {issuer.fetched['keys']}")
    assert issuer.fetched["keys"] == 1
    rig.clock.time += 30
    await error(rig.exchange(forged[0]))
    assert issuer.fetched["keys"] == 2


async def test_a_new_key_is_found(rig: Rig, issuer: Issuer) -> None:
    """At the latest 30 s after the last look."""
    await rig.whole()
    issuer.keys.append(jwk(ec_key(), "second"))
    token = issuer.signed(issuer.claims(), ec_key(), "ES256", kid="second")
    assert (await error(rig.exchange(token))).metadata["check"] == "key"
    rig.clock.time += 30
    assert (await rig.exchange(token)).user.name == "ann"


async def test_a_withdrawn_key_dies_within_an_hour(rig: Rig, issuer: Issuer) -> None:
    """What it signed is refused, though it has not expired."""
    await rig.whole()
    issuer.keys = [jwk(ec_key(), "second")]
    rig.clock.time += 3601
    token = issuer.signed(issuer.claims())
    assert (await error(rig.exchange(token))).metadata["check"] == "key"


async def test_an_outage_is_survived_for_a_day(rig: Rig, issuer: Issuer) -> None:
    """With the keys and the metadata that were fetched before; then nobody vouches."""
    await rig.whole()
    issuer.down = {"keys", "discovery"}
    for _ in range(23):
        rig.clock.time += 3600
        assert (await rig.exchange(issuer.signed(issuer.claims()))).user.name == "ann"
    rig.clock.time += 2 * 3600
    token = issuer.signed(issuer.claims())
    assert await reason(rig.exchange(token)) is Reason.PROVIDER_UNAVAILABLE


async def test_an_outage_at_the_beginning_is_told_and_over_in_seconds(
    rig: Rig, issuer: Issuer
) -> None:
    """The refusal says when to try again."""
    issuer.down = {"discovery"}
    refused = await error(rig.start())
    assert (refused.reason, refused.retry_after) == (Reason.PROVIDER_UNAVAILABLE, 5.0)
    issuer.down = set()
    rig.clock.time += 5
    assert (await rig.whole()).user.name == "ann"


async def test_who_leaves_does_not_spoil_the_fetch(rig: Rig, issuer: Issuer) -> None:
    """A caller that brings an unknown key and hangs up makes nobody wait for the next look."""
    token = issuer.signed(issuer.claims())
    leaver = asyncio.create_task(rig.exchange(token))
    while not issuer.fetched["discovery"]:  # noqa: ASYNC110 - it is counted, not told
        await asyncio.sleep(0)
    leaver.cancel()
    assert (await rig.exchange(token)).user.name == "ann"


@pytest.mark.parametrize(("key", "alg"), [(rsa_key, "RS256"), (ec_key, "ES256"), (ed_key, "EdDSA")])
async def test_each_kind_of_key_verifies_with_its_algorithm(
    rig: Rig, issuer: Issuer, key: object, alg: str
) -> None:
    """RSA, elliptic curves and Ed25519."""
    assert callable(key)
    issuer.keys = [jwk(key())]
    assert (await rig.exchange(issuer.signed(issuer.claims(), key(), alg))).user.name == "ann"


async def test_a_token_without_a_key_id_is_good_if_there_is_one_key(
    rig: Rig, issuer: Issuer
) -> None:
    """With two that could be meant it is refused (OpenID Connect Core, 10.1)."""
    token = issuer.signed(issuer.claims(), kid=None)
    assert (await rig.exchange(token)).user.name == "ann"
    issuer.keys.append(jwk(rsa_key("other"), "second"))
    rig.clock.time += 3601
    token = issuer.signed(issuer.claims(), kid=None)
    assert (await error(rig.exchange(token))).metadata["check"] == "key"


UNUSABLE = {
    "for encryption": {"use": "enc"},
    "of another algorithm": {"alg": "RS512"},
    "symmetric": {"kty": "oct", "k": "c2VjcmV0"},
    "private": {"d": "AQAB"},
    "broken": {"n": "!"},
    "of no kind": {"kty": 7},
    "with a strange id": {"kid": 7},
}


@pytest.mark.parametrize("odd", UNUSABLE.values(), ids=UNUSABLE)
async def test_a_key_that_is_not_for_signatures_verifies_none(
    rig: Rig, issuer: Issuer, odd: dict[str, object]
) -> None:
    """Others beside it do."""
    issuer.keys = [jwk(rsa_key()) | odd, jwk(ec_key(), "second")]
    assert (await error(rig.exchange(issuer.signed(issuer.claims())))).metadata["check"] == "key"
    good = issuer.signed(issuer.claims(), ec_key(), "ES256", kid="second")
    assert (await rig.exchange(good)).user.name == "ann"


async def test_a_weak_key_verifies_nothing(rig: Rig, issuer: Issuer) -> None:
    """RSA has 2048 bits at least (RFC 7518, 3.3)."""
    weak = rsa_key("weak", 1024)
    issuer.keys = [jwk(weak), jwk(ec_key(), "second")]
    token = issuer.signed(issuer.claims(), weak)
    assert (await error(rig.exchange(token))).metadata["check"] == "key"
