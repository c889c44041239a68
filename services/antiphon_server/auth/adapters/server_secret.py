"""The installation's own secret: 32 bytes in a file of the data directory."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from antiphon_server.auth.adapters.secret_files import create_private, read_private

LENGTH = 32
_NONCE = 12


class UnusableSecretError(Exception):
    """The secret's file does not hold a secret."""


class MasterSecret:
    """A :class:`~antiphon_server.auth.ports.ServerSecret` made of 32 random bytes.

    Each purpose has a key of its own (HKDF, RFC 5869); sealing is AES-256-GCM.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) != LENGTH:
            raise UnusableSecretError(f"the secret must have {LENGTH} bytes")
        self._master = master

    def derive(self, purpose: str) -> bytes:
        """See :meth:`ServerSecret.derive`."""
        return HKDF(SHA256(), LENGTH, salt=None, info=f"antiphon {purpose}".encode()).derive(
            self._master
        )

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """See :meth:`ServerSecret.seal`."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(purpose).encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
        """See :meth:`ServerSecret.open`."""
        nonce, text = sealed[:_NONCE], sealed[_NONCE:]
        try:
            return self._cipher(purpose).decrypt(nonce, text, purpose.encode())
        except (InvalidTag, ValueError):
            return None

    def _cipher(self, purpose: str) -> AESGCM:
        return AESGCM(self.derive(f"sealing {purpose}"))


def load_or_create(path: Path) -> MasterSecret:
    """The secret in the file, which is made (mode 0600) if it is missing.

    Without it stored signing keys can't sign, and refresh tokens are refused.
    Raises OSError, ExposedFileError or UnusableSecretError, and never replaces a
    file that exists.
    """
    if not path.exists() and not path.is_symlink():
        create_private(path, base64.b64encode(secrets.token_bytes(LENGTH)) + b"\n")
    try:
        return MasterSecret(base64.b64decode(read_private(path).strip(), validate=True))
    except (binascii.Error, UnusableSecretError) as error:
        raise UnusableSecretError(f"{path} holds no secret") from error
