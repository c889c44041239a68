"""The installation's own secret: 32 bytes, given by the environment or in the data directory."""

import base64
import binascii
import os
import secrets
import string
from itertools import pairwise
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from antiphon_server.auth.adapters.secret_files import create_private, read_private

SECRET_FILE = "auth.key"
"""Where it lies in a data folder."""
LENGTH = 32
_NONCE = 12
_LEAST_VARIETY = 16
_TEXT = frozenset(string.printable.encode())
_FORM = f"it must be {LENGTH} random bytes in base64, as `openssl rand -base64 {LENGTH}` makes them"


class UnusableSecretError(Exception):
    """The secret is none, or not the one that the data was written with; the message says more."""


class MasterSecret:
    """A :class:`~antiphon_server.auth.ports.ServerSecret` made of 32 random bytes.

    Each purpose has its own key (HKDF, RFC 5869). Sealing uses AES-256-GCM.
    """

    def __init__(self, master: bytes, *, is_new: bool = False) -> None:
        if len(master) != LENGTH:
            raise UnusableSecretError(f"the secret must have {LENGTH} bytes")
        self._master = master
        self.is_new = is_new

    def derive(self, purpose: str) -> bytes:
        return HKDF(SHA256(), LENGTH, salt=None, info=f"antiphon {purpose}".encode()).derive(
            self._master
        )

    def seal(self, plain: bytes, purpose: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(purpose).encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes | None:
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
    is_new = not path.exists() and not path.is_symlink()
    if is_new:
        create_private(path, base64.b64encode(secrets.token_bytes(LENGTH)) + b"\n")
    try:
        return MasterSecret(_decoded(read_private(path)), is_new=is_new)
    except UnusableSecretError as error:
        lost = "put the file back from a backup, or remove it: then everybody has to sign in again"
        raise UnusableSecretError(f"{path} holds no secret; {lost}") from error


def given_secret(text: str | None, path: Path | None) -> bytes | None:
    """The secret that the environment gives, itself or by a private file; None if it gives none.

    Raises ExposedFileError or UnusableSecretError.
    """
    if text is not None:
        return _checked(text.encode(), "ANTIPHON_SECRET_KEY")
    if path is None:
        return None
    try:
        return _checked(read_private(path), str(path))
    except OSError as error:
        raise UnusableSecretError(f"ANTIPHON_SECRET_KEY_FILE: {path}: {error.strerror}") from error


def guessable(secret: bytes) -> bool:
    """Whether it is a repeated pattern, a run such as 0, 1, 2 …, or text of somebody's.

    Of 32 random bytes one in 10^13 is taken for it. What a hash made of a guessable text is
    not found: it looks like any other bytes.
    """
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    half = len(secret) // 2
    repeated = secret[:half] == secret[half:]
    few = len(set(secret)) < _LEAST_VARIETY or len(steps) < _LEAST_VARIETY
    return repeated or few or _TEXT.issuperset(secret)


def _checked(content: bytes, source: str) -> bytes:
    try:
        return _decoded(content)
    except UnusableSecretError as error:
        raise UnusableSecretError(f"{source} holds no secret; {_FORM}") from error


def _decoded(content: bytes) -> bytes:
    try:
        secret = base64.b64decode(content.strip(), validate=True)
    except binascii.Error as error:
        raise UnusableSecretError("this is not base64") from error
    if len(secret) != LENGTH:
        raise UnusableSecretError(f"{len(secret)} bytes in place of {LENGTH}")
    return secret
