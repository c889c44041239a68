"""Microsoft Entra ID: which tenants come in, and who somebody is there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.oidc.issuer import Claims, Issuer, ec_key, jwk, rsa_key
from tests.auth.oidc.rig import Rig, open_rig, settings_for
from tests.auth.world import error

OURS = "11111111-1111-4111-8111-111111111111"
PARTNER = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"
ANN = "aaaaaaaa-0000-4000-8000-00000000000a"
GRAPH = "00000003-0000-0000-c000-000000000000"
BOB = "bbbbbbbb-0000-4000-8000-00000000000b"


class Entra(Issuer):
    """A provider that issues for many tenants, as Entra does."""

    def of(self, tenant: str) -> str:
        """A tenant's issuer identifier."""
        return f"{self.base}/{tenant}/v2.0"

    def claims(self, nonce: str | None = None, **more: Any) -> Claims:
        """What Entra says of Ann."""
        found = {"iss": self.of(OURS), "tid": OURS, "oid": ANN, "ver": "2.0", "sub": "pairwise"}
        found |= {"email": "ann@contoso.example", "preferred_username": "ann@contoso.example"}
        return super().claims(nonce) | found | more


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """The service with Entra for organizations, two tenants let in."""
    entra = Entra(lambda: 0.0, path="/organizations/v2.0", says_issuer=False)

    async with open_rig(
        tmp_path,
        monkeypatch,
        issuer=entra,
        settings=lambda it: [
            settings_for(it.issuer, kind="entra", tenants=[OURS, PARTNER], sign_up=True)
        ],
    ) as opened:
        entra.metadata = {"issuer": entra.of("{tenantid}")}
        entra.keys = [jwk(rsa_key(), issuer=entra.of("{tenantid}"))]
        yield opened


@pytest.fixture
def entra(rig: Rig) -> Entra:
    """That provider."""
    assert isinstance(rig.issuer, Entra)
    return rig.issuer


async def test_tenant_and_object_id_are_who_somebody_is(rig: Rig, entra: Entra) -> None:
    """Neither the address, nor the name, nor `sub` matters, whatever they become."""
    first = await rig.whole()
    entra.bend = lambda claims: (
        claims
        | {
            "email": "bob@contoso.example",
            "preferred_username": "bob@contoso.example",
            "sub": "other",
            "name": "Bob",
        }
    )
    again = await rig.whole()
    assert again.user == first.user
    [identity] = await rig.world.stores.identities.list_of(first.user.user_id)
    assert (identity.issuer, identity.subject) == (entra.of(OURS), ANN)


async def test_who_takes_over_an_address_is_somebody_else(rig: Rig, entra: Entra) -> None:
    """An address that was given to another person gives them nothing of the first one's."""
    first = await rig.whole()
    entra.bend = lambda claims: claims | {"oid": BOB}
    second = await rig.whole()
    assert second.user.user_id != first.user.user_id
    assert second.user.name.startswith("ann-")


async def test_the_same_object_in_another_tenant_is_somebody_else(rig: Rig, entra: Entra) -> None:
    """Object ids are a tenant's own."""
    first = await rig.whole()
    token = entra.signed(entra.claims(iss=entra.of(PARTNER), tid=PARTNER))
    assert (await rig.exchange(token)).user.user_id != first.user.user_id


async def test_a_guest_is_who_the_tenant_says(rig: Rig, entra: Entra) -> None:
    """Let in by our tenant, not by their own, and not as who has the same id at home."""
    ours = await rig.whole()
    home = entra.claims(iss=entra.of(OTHER), tid=OTHER)
    assert (await error(rig.exchange(entra.signed(home)))).metadata["check"] == "tenant"
    guest = entra.claims(oid=BOB, idp=entra.of(OTHER))
    assert (await rig.exchange(entra.signed(guest))).user.user_id != ours.user.user_id


WRONG: dict[str, tuple[Claims, str]] = {
    "another tenant": ({"tid": OTHER}, "tenant"),
    "no tenant": ({"tid": None}, "tenant"),
    "a tenant in capitals": ({"tid": "AAAAAAAA-0000-4000-8000-00000000000A"}, "tenant"),
    "a list of tenants": ({"tid": [OURS]}, "tenant"),
    "a template as tenant": ({"tid": "{tenantid}"}, "tenant"),
    "a path as tenant": ({"tid": f"../{OURS}"}, "tenant"),
    "the consumers' tenant": ({"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "tenant"),
    "a tenant that is not the issuer's": ({"tid": PARTNER}, "issuer"),
    "version 1's issuer": ({"iss": f"https://sts.windows.net/{OURS}/"}, "issuer"),
    "version 1": ({"ver": "1.0"}, "issuer"),
    "no version": ({"ver": None}, "issuer"),
    "an issuer elsewhere": (
        {"iss": f"https://login.microsoftonline.com.evil.example/{OURS}/v2.0"},
        "issuer",
    ),
    "no object id": ({"oid": None}, "subject"),
    "an address as object id": ({"oid": "ann@contoso.example"}, "subject"),
    "another audience": ({"aud": GRAPH}, "audience"),
    "another authorized party": (
        {"azp": GRAPH},
        "authorized party",
    ),
}


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
async def test_what_is_not_of_a_tenant_let_in_is_refused(
    rig: Rig, entra: Entra, row: tuple[Claims, str]
) -> None:
    """Though Entra signed it, in a token that a backend brings and in the code flow."""
    refused = [await error(rig.exchange(entra.signed(entra.claims(**row[0]))))]
    entra.bend = lambda claims: claims | row[0]
    refused.append(await error(rig.whole()))
    for one in refused:
        assert (one.reason, one.metadata["check"]) == (Reason.PROVIDER_ANSWER_INVALID, row[1])
    assert await rig.world.stores.users.find("ann") is None


async def test_a_key_of_another_tenant_signs_nothing_for_ours(rig: Rig, entra: Entra) -> None:
    """Keys say for which issuer they are, and are held to it."""
    entra.keys.append(jwk(ec_key(), "theirs", issuer=entra.of(OTHER)))
    token = entra.signed(entra.claims(), ec_key(), "ES256", kid="theirs")
    assert (await error(rig.exchange(token))).metadata["check"] == "issuer"


async def test_an_operator_links_within_the_tenants_let_in(rig: Rig, entra: Entra) -> None:
    """With several tenants the issuer has to be named."""
    user = await rig.world.user("ann")
    links, provider = rig.world.signing_in.identity_links, rig.login.provider("first")
    for issuer in ("", entra.of(OTHER), entra.of("{tenantid}"), entra.issuer):
        with pytest.raises(DomainError) as caught:
            await links.link(user.user_id, provider, issuer, ANN)
        assert caught.value.reason is Reason.INVALID_ARGUMENT
    await links.link(user.user_id, provider, entra.of(OURS), ANN)
    assert (await rig.whole()).user.user_id == user.user_id
