"""Secrets that are shown once, and again to whoever lost the answer.

A secret is made of a random salt by the installation's own secret. Only its hash is stored; the
salt is as long as the request can be repeated, and alone is of no use to anybody.
"""

import hmac
import secrets

from antiphon_server.auth.ports import ServerSecret
from antiphon_server.auth.service.key_format import secret_of

SALT = 32
"""Bytes."""


class ShownOnce:
    """Makes secrets of 256 bits, and the same of the same salt."""

    def __init__(self, secret: ServerSecret) -> None:
        self._key = secret.derive("secrets that are shown once")

    def salt(self) -> bytes:
        """What a new secret is made of."""
        return secrets.token_bytes(SALT)

    def secret(self, prefix: str, salt: bytes) -> str:
        """The secret of that salt."""
        return secret_of(hmac.digest(self._key, prefix.encode() + salt, "sha256"), prefix)
