"""The keys that a provider signs ID tokens with (RFC 7517, RFC 7518)."""

from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from antiphon_server.auth.ports.identity_providers import Unanswered

MOST_KEYS = 100
_LEAST_RSA_BITS = 2048
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ALGORITHMS = _RSA | frozenset(_CURVES.values()) | {"EdDSA"}
"""Asymmetric ones only: with HMAC the public key would be the secret (RFC 8725, 2.1)."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """One public key: the algorithms it may verify, and the issuer it is for, if it says so."""

    kid: str
    algorithms: frozenset[str]
    public: Any
    issuer: str


class KeySet:
    """The keys that a provider publishes."""

    def __init__(self, keys: list[ProviderKey]) -> None:
        self._keys = keys

    def find(self, kid: str, algorithm: str) -> ProviderKey | None:
        """The key of that id; without an id the only one that the algorithm can use."""
        suitable = [key for key in self._keys if algorithm in key.algorithms]
        found = [key for key in suitable if key.kid == kid] if kid else suitable
        return found[0] if len(found) == 1 else None


def read_keys(document: dict[str, Any]) -> KeySet:
    """The keys of a JWK set that can verify signatures. Raises Unanswered if there are none."""
    listed = document.get("keys")
    found = [_key(each) for each in listed[:MOST_KEYS]] if isinstance(listed, list) else []
    keys = [key for key in found if key is not None]
    if not keys:
        raise Unanswered("the JWK set holds no public key for signatures")
    return KeySet(keys)


def _key(found: Any) -> ProviderKey | None:
    """The key; None for one that is not for signatures, private, weak or not understood."""
    if not isinstance(found, dict) or "d" in found or found.get("use", "sig") != "sig":
        return None
    kid, issuer, named = found.get("kid", ""), found.get("issuer", ""), found.get("alg")
    if not isinstance(kid, str) or not isinstance(issuer, str):
        return None
    try:
        public = jwt.PyJWK(found).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
        return None
    algorithms = _algorithms(public)
    if named is not None:
        algorithms &= {named} if isinstance(named, str) else set()
    return ProviderKey(kid, algorithms, public, issuer) if algorithms else None


def _algorithms(public: Any) -> frozenset[str]:
    if isinstance(public, RSAPublicKey):
        return _RSA if public.key_size >= _LEAST_RSA_BITS else frozenset()
    if isinstance(public, EllipticCurvePublicKey):
        return frozenset({_CURVES.get(public.curve.name, "")} - {""})
    return frozenset({"EdDSA"} if isinstance(public, Ed25519PublicKey) else set())
