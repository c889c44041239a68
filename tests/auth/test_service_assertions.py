"""Services of the installation: known by what they signed, once, for a minute."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from antiphon.auth.v1 import audit_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon.auth.v1.auth_pb2 import LOGIN_METHOD_SERVICE_ASSERTION as METHOD
from antiphon_server.auth.adapters.server_secret import MasterSecret, load_or_create
from antiphon_server.auth.compose.auth import auth_servicer
from antiphon_server.auth.service.service_statements import SKEW, service_key
from antiphon_server.installation import NAMES
from antiphon_server.runtime.errors import Reason
from tests.auth.api import Api
from tests.auth.asked import Asked
from tests.auth.test_recorded import events
from tests.auth.world import World

Change = Callable[[dict[str, Any]], None]


def statement(now: float, name: str = "events", **changes: Any) -> dict[str, Any]:
    """The claims of a good statement, with changes; None leaves one out."""
    claims = {
        "iss": name,
        "sub": name,
        "aud": "antiphon",
        "iat": int(now),
        "exp": int(now) + 60,
        "jti": "0123456789",
        **changes,
    }
    return {claim: value for claim, value in claims.items() if value is not None}


def login(token: str) -> pb.LoginRequest:
    """What a service asks."""
    return pb.LoginRequest(service=pb.ServiceCredential(assertion=token))


def asked(key: Ed25519PrivateKey, now: float, **changes: Any) -> pb.LoginRequest:
    """What it asks with such a statement."""
    return login(jwt.encode(statement(now, **changes), key, "EdDSA"))


@pytest.fixture
def key(api: Api) -> Ed25519PrivateKey:
    """The events service's own."""
    return service_key(load_or_create(api.data_dir / "auth.key"), "events")


async def test_a_service_signs_in_once_with_each_statement(
    api: Api, key: Ed25519PrivateKey
) -> None:
    """It gets a token of its own kind, nothing to refresh, and no account."""
    request = asked(key, api.world.clock())
    answer = await api.call("Login", request)
    principal = await api.world.verify(answer.tokens.access_token)
    assert (principal.kind, principal.user_id) == ("service", "events")
    assert (answer.tokens.refresh_token, answer.tokens.session_id) == ("", "")
    assert not answer.HasField("user")
    assert answer.tokens.access_expire_time.seconds == principal.expires_at
    assert await api.why("Login", request) is Reason.CREDENTIALS_INVALID
    await api.call("Login", asked(key, api.world.clock(), jti="9876543210"))


async def test_what_services_try_is_recorded(api: Api, key: Ed25519PrivateKey) -> None:
    """Who came in, by its name; and that a statement came twice, or was not of any service."""
    request = asked(key, api.world.clock())
    await api.call("Login", request)
    came = (await events(api.world))[-1]
    assert (came.actor, came.signed_in.method) == ("services/events", METHOD)
    await api.refused("Login", request)
    await api.refused("Login", login("a.b.c"))
    again, forged = (await events(api.world))[-2:]
    assert again.sign_in_failed.failure == audit_pb2.SIGN_IN_FAILURE_REPLAYED
    assert forged.sign_in_failed.failure == audit_pb2.SIGN_IN_FAILURE_UNTRUSTED
    assert {again.sign_in_failed.method, forged.sign_in_failed.method} == {METHOD}


@pytest.mark.parametrize("ahead", [-SKEW, SKEW])
async def test_clocks_may_differ(api: Api, key: Ed25519PrivateKey, ahead: int) -> None:
    """A service signs in whose clock is not the server's, once with each statement still."""
    request = asked(key, api.world.clock() + ahead)
    await api.call("Login", request)
    assert await api.why("Login", request) is Reason.CREDENTIALS_INVALID


WRONG: dict[str, dict[str, Any]] = {
    "another service's name": {"iss": "context", "sub": "context"},
    "another subject": {"sub": "context"},
    "an unknown service": {"iss": "billing", "sub": "billing"},
    "no issuer": {"iss": None},
    "no subject": {"sub": None},
    "another audience": {"aud": "other"},
    "many audiences": {"aud": ["antiphon", "other"]},
    "no audience": {"aud": None},
    "no expiry": {"exp": None},
    "an expiry in words": {"exp": "tomorrow"},
    "a true expiry": {"exp": True},
    "expired": {"exp": 1_800_000_000 - SKEW},
    "good for too long": {"exp": 1_800_000_061 + SKEW},
    "no id": {"jti": None},
    "a short id": {"jti": "1"},
    "a long id": {"jti": "x" * 129},
    "a number as id": {"jti": 12345678},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_statement_is_refused(api: Api, key: Ed25519PrivateKey, wrong: str) -> None:
    """Whatever it claims wrongly, though the right key signed it."""
    request = asked(key, api.world.clock(), **WRONG[wrong])
    assert await api.why("Login", request) is Reason.CREDENTIALS_INVALID


async def test_a_wrong_signature_or_header_is_refused(api: Api, key: Ed25519PrivateKey) -> None:
    """Other keys, other algorithms, and parameters that name a key."""
    claims = statement(api.world.clock())
    stranger = service_key(MasterSecret(b"x" * 32), "events")
    context_key = service_key(load_or_create(api.data_dir / "auth.key"), "context")
    public = key.public_key().public_bytes_raw()
    tokens = [
        jwt.encode(claims, stranger, "EdDSA"),
        jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA"),
        jwt.encode(claims, context_key, "EdDSA"),
        jwt.encode(claims, public, "HS256"),
        jwt.encode(claims, "", "none"),
        api.world.tokens.access_tokens.for_service("events")[0],
        "a.b.c",
        "é",
    ]
    for extra in (
        {"kid": "x"},
        {"jku": "http://127.0.0.1:9"},
        {"crit": ["exp"]},
        {"typ": "at+jwt"},
    ):
        tokens.append(jwt.encode(claims, key, "EdDSA", headers=extra))
    for token in tokens:
        assert await api.why("Login", login(token)) is Reason.CREDENTIALS_INVALID
    await api.call("Login", login(jwt.encode(claims, key, "EdDSA")))


def test_each_service_has_a_key_of_its_own() -> None:
    """Derived from the installation's secret, the same each time."""
    secret = MasterSecret(b"s" * 32)
    keys = {service_key(secret, name).private_bytes_raw() for name in NAMES}
    assert len(keys) == len(NAMES)
    assert service_key(secret, "events").private_bytes_raw() in keys


async def test_refused_statements_leave_nothing_behind(world: World) -> None:
    """Only what a service has signed is remembered: strangers fill no table."""
    stranger = Ed25519PrivateKey.generate()
    asked = Asked(world.stores.attempts, "count")
    for number in range(20):
        claims = statement(world.clock(), jti=f"statement {number}")
        request = login(jwt.encode(claims, stranger, "EdDSA"))
        with pytest.raises(Exception, match="CREDENTIALS_INVALID"):
            await auth_servicer(world.auth).Login(request, None)
    assert asked.times == 0
