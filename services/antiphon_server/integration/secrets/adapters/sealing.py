"""Envelopes: AES-256-GCM, bound to what they are about, so that swapped ones don't open."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE = 12


def new_key() -> bytes:
    """A random key."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plain: bytes, *about: str) -> bytes:
    """Encrypt and authenticate, together with what it is about."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, _bound(about))


def opened(key: bytes, sealed: bytes, *about: str) -> bytes | None:
    """Decrypt; None if it was sealed by another key, or about something else."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(about))
    except (InvalidTag, ValueError):
        return None


def _bound(about: tuple[str, ...]) -> bytes:
    return b"".join(len(each.encode()).to_bytes(4) + each.encode() for each in about)
