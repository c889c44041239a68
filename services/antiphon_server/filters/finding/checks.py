"""What is asked of a candidate: checksums, and whether anybody would keep it secret."""

import base64
import binascii
import json
import math
import re
import string
import zlib
from collections import Counter

import re2

from antiphon_server.filters.finding.patterns import latin

_DIGITS = (string.digits + string.ascii_uppercase + string.ascii_lowercase).encode()
_CHECKSUM = 6
_PLACEHOLDER = re2.compile(
    rb"x{4}|\.{3}|\*{3}|<|\$\{|\{\{|%\(|your|example|change|placeholder|dummy|redacted|secret$"
    rb"|password|token|env[.(\[_]|getenv|0{6}|12345",
    latin(any_case=True),
)
_CLASSES = [re.compile(it) for it in (rb"[a-z]", rb"[A-Z]", rb"[0-9]", rb"[^a-zA-Z0-9]")]


class Checksum:
    """CRC-32 in six digits of base 62 at the end, as GitHub, npm and Antiphon have it.

    ``begin``: so many characters in front are not summed.
    """

    def __init__(self, begin: int) -> None:
        self._begin = begin

    def __call__(self, secret: bytes) -> bool:
        """Whether it is that of what stands before it."""
        body, given = secret[self._begin : -_CHECKSUM], secret[-_CHECKSUM:]
        number, digits = zlib.crc32(body), bytearray()
        for _ in range(_CHECKSUM):
            number, digit = divmod(number, 62)
            digits.append(_DIGITS[digit])
        return bytes(reversed(digits)) == given


def is_jwt(secret: bytes) -> bool:
    """Whether its head is JSON that names an algorithm."""
    head = secret.partition(b".")[0]
    try:
        said = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return False
    return isinstance(said, dict) and "alg" in said


def varied(secret: bytes) -> bool:
    """Whether it is no stand-in: eight different characters, digits among them, and no `xxxx`."""
    return len(set(secret)) >= 8 and bool(_CLASSES[2].search(secret)) and b"xxxx" not in secret


def random(secret: bytes) -> bool:
    """Whether it looks as if nobody had thought of it: long, of letters and digits, without order.

    Hexadecimal digits have 4 bits each at most; 3 of 16 characters are passed by words, too, so
    a digit and a letter are asked for.
    """
    if len(secret) < 16 or not _CLASSES[2].search(secret):
        return False
    if not (_CLASSES[0].search(secret) or _CLASSES[1].search(secret)):
        return False
    return not _PLACEHOLDER.search(secret) and entropy(secret) >= 3.0


def password(secret: bytes) -> bool:
    """Whether it is one that a form would take: random, or of three kinds of characters."""
    if not _CLASSES[2].search(secret) or _PLACEHOLDER.search(secret):
        return False
    return random(secret) or sum(bool(it.search(secret)) for it in _CLASSES) >= 3


def entropy(secret: bytes) -> float:
    """Bits for each of its characters, by how often each is in it."""
    size = len(secret)
    return -sum(n / size * math.log2(n / size) for n in Counter(secret).values())
