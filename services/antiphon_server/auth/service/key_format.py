"""What secrets look like: a prefix, ``antk_`` for API keys, 43 random characters, a checksum of 6.

The checksum lets a typo be refused, and a leaked key be recognised in a file,
without asking anybody.
"""

import hashlib
import re
import secrets
import string
import zlib

PREFIX = "antk_"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 43  # characters; 62 ** 43 is just above 2 ** 256
_SHAPE = re.compile(r"[0-9A-Za-z]{49}", re.ASCII)


def new_secret(prefix: str = PREFIX) -> str:
    """A fresh secret of 256 random bits."""
    return secret_of(secrets.token_bytes(32), prefix)


def secret_of(bits: bytes, prefix: str = PREFIX) -> str:
    """The secret that consists of those 256 bits."""
    body = prefix + _base62(int.from_bytes(bits), _RANDOM)
    return body + _checksum(body)


def hash_of(secret: str) -> bytes:
    """What is stored of a secret: of 256 random bits a plain digest is enough."""
    return hashlib.sha256(secret.encode()).digest()


def well_formed(secret: str, prefix: str = PREFIX) -> bool:
    """Whether the text has the shape and the checksum of a secret with that prefix."""
    if not secret.startswith(prefix) or _SHAPE.fullmatch(secret, len(prefix)) is None:
        return False
    split = len(prefix) + _RANDOM
    return _checksum(secret[:split]) == secret[split:]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), 6)  # 62 ** 6 is above 2 ** 32


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
