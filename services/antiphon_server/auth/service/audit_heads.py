"""Heads that can be kept elsewhere: signed, so that they prove what the history was.

A head is a JSON Web Signature (RFC 7515) by the key that signs access tokens. Its type is its
own (RFC 8725, section 3.11), so that neither passes for the other.
"""

import re
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.model.audit import SignedHead
from antiphon_server.auth.model.chain import Head
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.service.signing_keys import SigningKeys

TYPE = "antiphon-audit-head+jwt"
ALGORITHM = "EdDSA"
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class AuditHeads:
    """Signs heads in the name of this installation."""

    def __init__(self, keys: SigningKeys, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    def sign(self, head: Head) -> SignedHead:
        """The head with the time and the signature of now."""
        kid, private = self._keys.signer()
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "iat": now,
            "sequence": head.sequence,
            "hash": head.hash.hex(),
        }
        signature = jwt.encode(claims, private, ALGORITHM, headers={"typ": TYPE, "kid": kid})
        return SignedHead(head, now * SECOND, signature)


def key_id_of(signature: str) -> str | None:
    """Which key a head claims to be signed with; None if it is no head at all."""
    try:
        header = jwt.get_unverified_header(signature)
    except jwt.PyJWTError:
        return None
    kid = header.get("kid")
    # No other parameter is allowed: not jwk, jku, x5u, x5c or crit.
    known = header == {"alg": ALGORITHM, "typ": TYPE, "kid": kid}
    return kid if known and isinstance(kid, str) else None


def read_head(signature: str, keys: Mapping[str, Ed25519PublicKey]) -> Head | None:
    """The head that one of ``keys`` has signed; None if none has."""
    key = keys.get(key_id_of(signature) or "")
    if key is None:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(
            signature,
            key,
            algorithms=[ALGORITHM],
            options={"require": ["iat"], "verify_iat": False, "verify_aud": False},
        )
    except jwt.PyJWTError:
        return None
    sequence, hashed = claims.get("sequence"), claims.get("hash")
    if type(sequence) is not int or not isinstance(hashed, str) or not _HASH.fullmatch(hashed):
        return None
    return Head(sequence, bytes.fromhex(hashed))
