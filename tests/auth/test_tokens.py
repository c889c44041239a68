"""Access tokens: only what this installation signed is accepted."""

import base64
import hmac
import json
import random
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.auth.service.public_keys import PublicKeys
from antiphon_server.auth.service.token_reader import TokenReader
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.oidc.issuer import segment
from tests.auth.world import World, reason

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é"


def segments(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token."""
    header, claims, _ = token.split(".")
    return _parsed(header), _parsed(claims)


def _parsed(part: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return parsed


async def token_of(world: World) -> str:
    """A good token."""
    return (await world.newcomer()).tokens.access_token


async def test_a_token_says_what_the_standard_asks(world: World) -> None:
    """Header and claims are those of RFC 9068, and 15 minutes of life."""
    signed_in = await world.newcomer()
    header, claims = segments(signed_in.tokens.access_token)
    kid = world.tokens.signing_keys.valid()[0].kid
    assert header == {"alg": "EdDSA", "typ": "at+jwt", "kid": kid}
    now = int(world.clock())
    assert claims == {
        "iss": "antiphon",
        "aud": "antiphon",
        "kind": "user",
        "sub": signed_in.user.user_id,
        "sid": signed_in.tokens.session_id,
        "operator": False,
        "iat": now,
        "exp": now + 900,
        "jti": f"{signed_in.tokens.session_id}.0",
    }


async def test_a_token_expires_even_when_it_is_remembered(world: World) -> None:
    """The expiry is compared each time, by the service's clock."""
    token = await token_of(world)
    await world.verify(token)
    world.clock.time = int(world.clock.time) + 899.999
    principal = await world.verify(token)
    world.clock.time = principal.expires_at
    for _ in range(2):
        assert await reason(world.verify(token)) is Reason.TOKEN_EXPIRED


Forge = Callable[[dict[str, Any], dict[str, Any], Any], str]
OTHER_KEY = Ed25519PrivateKey.generate()
RSA_KEY = generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_JWK = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(OTHER_KEY.public_key()))


def header(key: Any = None, algorithm: str = "EdDSA", **changes: Any) -> Forge:
    """Sign again with these header parameters, by the real key or another."""

    def forge(parts: dict[str, Any], claims: dict[str, Any], real: Any) -> str:
        changed = {name: value for name, value in {**parts, **changes}.items() if value is not None}
        changed["alg"] = algorithm
        return jwt.encode(claims, real if key is None else key, algorithm, headers=changed)

    return forge


def claims(**changes: Any) -> Forge:
    """Sign again, by the real key, with these claims; None leaves one out."""

    def forge(parts: dict[str, Any], old: dict[str, Any], real: Any) -> str:
        changed = {name: value for name, value in {**old, **changes}.items() if value is not None}
        return jwt.encode(changed, real, "EdDSA", headers=parts)

    return forge


FORGERIES: dict[str, Forge] = {
    "another key, our kid": header(OTHER_KEY),
    "another key in jwk": header(OTHER_KEY, jwk=PUBLIC_JWK),
    "our key with jwk": header(jwk=PUBLIC_JWK),
    "jku": header(jku="http://127.0.0.1:9/keys"),
    "x5u": header(x5u="http://127.0.0.1:9/cert"),
    "x5c": header(x5c=["MAA="]),
    "crit": header(crit=["exp"], exp=1),
    "cty": header(cty="JWT"),
    "no typ": header(typ=""),
    "typ of an ID token": header(typ="JWT"),
    "typ in capitals": header(typ="AT+JWT"),
    "unknown kid": header(kid="x"),
    "path as kid": header(kid="../../../dev/null"),
    "HS256 by the word secret": header("secret" * 8, "HS256"),
    "RS256": header(RSA_KEY, "RS256"),
    "another audience": claims(aud="other"),
    "no audience": claims(aud=None),
    "another issuer": claims(iss="https://evil.example"),
    "no issuer": claims(iss=None),
    "no expiry": claims(exp=None),
    "an expiry in words": claims(exp="tomorrow"),
    "an endless expiry": claims(exp=float("inf")),
    "a true expiry": claims(exp=True),
    "no subject": claims(sub=None),
    "a number as subject": claims(sub=7),
    "no session": claims(sid=None),
    "an empty session": claims(sid=""),
    "a list as session": claims(sid=["sess_1"]),
    "no kind": claims(kind=None),
    "another kind": claims(kind="anonymous"),
    "a service with a session": claims(kind="service"),
    "no operator": claims(operator=None),
    "no id": claims(jti=None),
    "no time": claims(iat=None),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_is_refused(world: World, name: str) -> None:
    """Even what is signed by the real key is refused when a part of it is wrong."""
    parts, old = segments(await token_of(world))
    forged = FORGERIES[name](parts, old, world.tokens.signing_keys.signer()[1])
    assert await reason(world.verify(forged)) is Reason.TOKEN_INVALID


async def test_only_true_makes_an_operator(world: World) -> None:
    """A claim that is merely truthy gives no rights."""
    parts, old = segments(await token_of(world))
    forged = claims(operator="yes")(parts, old, world.tokens.signing_keys.signer()[1])
    assert not (await world.verify(forged)).operator


async def test_unsigned_and_confused_algorithms_are_refused(world: World) -> None:
    """``none``, and HMAC with the public key as its secret, are refused."""
    token = await token_of(world)
    parts, body, _ = token.split(".")
    raw = world.tokens.signing_keys.valid()[0].public.public_bytes_raw()
    for alg in ("none", "None", "nOnE", "HS256", "HS512", "ES256", "", None):
        changed = segment(_parsed(parts) | {"alg": alg})
        mac = hmac.digest(raw, f"{changed}.{body}".encode(), "sha256")
        for signature in ("", token.split(".")[2], segment(mac)):
            forged = f"{changed}.{body}.{signature}"
            assert await reason(world.verify(forged)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize(
    "strange",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        "\ud800.\ud800.\ud800",
        "é" * 100,
        "x" * 8193,
        "." * 1_000_000,
        base64.urlsafe_b64encode(b"[" * 5_000).decode() + ".e30.AA",
        base64.urlsafe_b64encode(b"9" * 5_000).decode() + ".e30.AA",
        base64.urlsafe_b64encode(b'{"kid":["a"],"alg":"EdDSA"}').decode() + ".e30.AA",
        base64.urlsafe_b64encode(b'{"b64":false,"crit":["b64"]}').decode() + "..AA",
    ],
)
async def test_strange_strings_are_refused(world: World, strange: str) -> None:
    """Whatever comes, the answer is TOKEN_INVALID, and soon."""
    began = time.perf_counter()
    assert await reason(world.verify(strange)) is Reason.TOKEN_INVALID
    assert time.perf_counter() - began < 10


async def test_no_mutation_is_accepted(world: World) -> None:
    """Of 10,000 changed, cut, spliced and edited tokens none is accepted, none is a fault."""
    token = await token_of(world)
    other = (await world.login()).tokens.access_token
    chance = random.Random(7)
    tried = {token, other}
    while len(tried) < 10_002:
        tried.add(_mutated(chance, token, other))
    for mutant in tried - {token, other}:
        assert await reason(world.verify(mutant)) is Reason.TOKEN_INVALID


def _mutated(chance: random.Random, token: str, other: str) -> str:
    place, end = sorted(chance.sample(range(len(token) + 1), 2))
    some = chance.choice(ALPHABET)
    return chance.choice(
        [
            token[:place] + some + token[place + 1 :],
            token[:place] + some + token[place:],
            token[:place] + token[end:],
            token[:end] + token[place:],
            token[:place] + other[place:],
            token[:place] + token[place:end].swapcase() + token[end:],
            token[:-1] + some,
            token + some * chance.randrange(1, 4),
            some + token,
            _edited(chance, token),
            _edited(chance, token),
        ]
    )


def _edited(chance: random.Random, token: str) -> str:
    """A token whose header or claims say something else, under its old signature or none."""
    parts, body, signature = token.split(".")
    edits: list[tuple[str, Any]] = [
        ("alg", chance.choice(["none", "HS256", "RS256", "ES256", "EdDSA", None])),
        ("kid", chance.choice(["", "../x", "x" * chance.randrange(40), None, 7])),
        ("typ", chance.choice(["JWT", "at+jwt", "dpop+jwt", None])),
        (chance.choice(["jwk", "jku", "x5u", "x5c", "crit"]), chance.choice([PUBLIC_JWK, "x", []])),
    ]
    claimed: list[tuple[str, Any]] = [
        ("exp", chance.randrange(2**40)),
        ("sub", f"user_{chance.randrange(10**9)}"),
        ("operator", True),
        ("aud", chance.choice(["other", ["antiphon"], None])),
        ("iss", f"https://{chance.randrange(10**6)}.example"),
        ("kind", chance.choice(["service", "user", 1])),
        ("scope", chance.choice(["operate", "", 7])),
    ]
    header_, claims_ = dict(chance.sample(edits, 2)), dict(chance.sample(claimed, 2))
    header_text, claims_text = _parsed(parts) | header_, _parsed(body) | claims_
    signed = chance.choice([signature, "", signature[::-1]])
    return f"{segment(header_text)}.{segment(claims_text)}.{signed}"


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    """Reading refuses any text as TOKEN_INVALID and raises nothing else."""
    with pytest.raises(DomainError) as caught:
        TokenReader(PublicKeys(), TokenSettings()).read(text)
    assert caught.value.reason is Reason.TOKEN_INVALID


async def test_a_service_token_speaks_for_the_service(world: World) -> None:
    """It needs no session, is reused until it is half used up, and expires."""
    mint = world.tokens.access_tokens.for_service
    token, _ = mint("dispatcher")
    principal = await world.verify(token)
    assert (principal.kind, principal.user_id, principal.session_id) == (
        "service",
        "dispatcher",
        "",
    )
    assert not principal.operator
    assert mint("dispatcher")[0] == token
    assert mint("context")[0] != token
    half = TokenSettings().service_seconds / 2
    world.clock.time += half + 1
    assert mint("dispatcher")[0] != token
    await world.verify(token)
    world.clock.time += half
    assert await reason(world.verify(token)) is Reason.TOKEN_EXPIRED


async def test_a_signature_is_checked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is remembered is not read again until it is forgotten."""
    token, reads, read = await token_of(world), list[str](), world.tokens.access_tokens.read

    def noting(read_now: str) -> Principal:
        reads.append(read_now)
        return read(read_now)

    monkeypatch.setattr(world.tokens.access_tokens, "read", noting)
    verifier = world.verifier()
    for _ in range(100):
        await verifier.verify(token)
    assert reads == [token]
    verifier.forget()
    await verifier.verify(token)
    assert reads == [token, token]
