"""ID tokens: what has to be true of one (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725)."""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from antiphon_server.auth.service.provider_keys import ALGORITHMS, KeySet, ProviderKey
from antiphon_server.runtime.encoding import base64url

LONGEST_BYTES = 16 * 1024
LEEWAY_S = 60
_LONGEST_KID = 256
_LAST_TIME = float(1 << 53)
_SHAPE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
# No key and nothing that would change what is signed: not jwk, jku, x5u, x5c, crit or b64.
_HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError)


class Wrong(Exception):
    """A provider's answer is not what it has to be; ``check`` says which rule it breaks."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of its signature. An empty ``kid`` names no key."""

    algorithm: str
    kid: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say: to whom it was issued, and for which login.

    ``nonce`` None is not asked for. ``hashed`` are the values that it binds if it has
    the claim: ``at_hash`` the access token, ``c_hash`` the code.
    """

    audiences: frozenset[str]
    nonce: str | None = field(repr=False)
    hashed: Mapping[str, str] = field(default_factory=dict, repr=False)


def read_header(token: str) -> Header:
    """The header of a token that may be looked at further. Raises Wrong.

    Nothing that it names is ever fetched, and no key is taken from it.
    """
    if len(token) > LONGEST_BYTES or _SHAPE.fullmatch(token) is None:
        raise Wrong("form")
    try:
        header = jwt.get_unverified_header(token)
    except _MALFORMED as error:
        raise Wrong("form") from error
    algorithm, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Wrong("algorithm")
    if not header.keys() <= _HEADER or not isinstance(kind, str) or kind.upper() != "JWT":
        raise Wrong("header")
    if not isinstance(kid, str) or len(kid) > _LONGEST_KID:
        raise Wrong("key")
    return Header(algorithm, kid)


def read_claims(token: str, header: Header, keys: KeySet) -> tuple[dict[str, Any], ProviderKey]:
    """What the provider signed, and with which key. Raises Wrong."""
    key = keys.find(header.kid, header.algorithm)
    if key is None:
        raise Wrong("key")
    try:
        signed = jwt.PyJWS().decode(token, key.public, algorithms=[header.algorithm])
    except _MALFORMED as error:
        raise Wrong("signature") from error
    try:
        claims = json.loads(signed)
    except _MALFORMED as error:
        raise Wrong("form") from error
    if not isinstance(claims, dict):
        raise Wrong("form")
    return claims, key


def check_claims(claims: dict[str, Any], header: Header, expected: Expected, now: float) -> None:
    """Raise Wrong unless the token is for us, for now and for this login."""
    _check_audience(claims, expected.audiences)
    _check_times(claims, now)
    if expected.nonce is not None and not _same(claims.get("nonce"), expected.nonce):
        raise Wrong("nonce")
    for name, value in expected.hashed.items():
        if name in claims and not _same(claims[name], half_hash(value, header.algorithm)):
            raise Wrong(name)


def half_hash(value: str, algorithm: str) -> str:
    """The left half of a value's hash, as ``at_hash`` has it (OpenID Connect Core, 3.1.3.6)."""
    name = "sha512" if algorithm == "EdDSA" else f"sha{algorithm[2:]}"
    digest = hashlib.new(name, value.encode()).digest()
    return base64url.encoded(digest[: len(digest) // 2])


def _check_audience(claims: dict[str, Any], ours: frozenset[str]) -> None:
    found = claims.get("aud")
    audiences = found if isinstance(found, list) else [found]
    # An audience that we do not know could use the token as well as we can.
    if not audiences or not all(isinstance(one, str) and one in ours for one in audiences):
        raise Wrong("audience")
    party = claims.get("azp", audiences[0] if len(audiences) == 1 else None)
    if not isinstance(party, str) or party not in ours:
        raise Wrong("authorized party")


def _check_times(claims: dict[str, Any], now: float) -> None:
    if _time(claims, "exp", "expiry") <= now - LEEWAY_S:
        raise Wrong("expiry")
    if _time(claims, "iat", "time of issue") > now + LEEWAY_S:
        raise Wrong("time of issue")
    if "nbf" in claims and _time(claims, "nbf", "not before") > now + LEEWAY_S:
        raise Wrong("not before")


def _time(claims: dict[str, Any], name: str, check: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Wrong(check)
    if not math.isfinite(found) or not 0 <= found < _LAST_TIME:
        raise Wrong(check)
    return float(found)


def _same(found: object, due: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(
        found.encode(errors="surrogatepass"), due.encode()
    )
