"""What secrets look like: a prefix, ``antk_`` for API keys, 43 random characters, a checksum of 6.

The checksum lets a typo be refused, and a leaked key be recognised in a file,
without asking anybody.
"""

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
    body = prefix + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
    return body + _checksum(body)


def well_formed(secret: str, prefix: str = PREFIX) -> bool:
    """Whether the text has the shape and the checksum of a secret with that prefix."""
    if not secret.startswith(prefix) or _SHAPE.fullmatch(secret, len(prefix)) is None:
        return False
    split = len(prefix) + _RANDOM
    return _checksum(secret[:split]) == secret[split:]


def _checksum(body: str) -> str:
    rest, digits = zlib.crc32(body.encode()), []
    for _ in range(6):  # 62 ** 6 is above 2 ** 32
        rest, digit = divmod(rest, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
