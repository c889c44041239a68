"""Values that may lie where others can write, and are believed only if they come back whole.

Before each stands a code of authentication (HMAC-SHA-256, RFC 2104) of it, its key and its end: who
can write there can take a value away, but neither make one nor put it under another key. One that
was copied there can be put back under its own key, also when it is no longer true, until its end.
"""

import hmac
import struct
import time
from collections.abc import Callable

_HASH = "sha256"
_HASH_BYTES = 32
_UNTIL = struct.Struct(">d")
MORE_BYTES = _HASH_BYTES + _UNTIL.size
"""What a sealed value is longer by."""


class SealedValues:
    """Seals and opens by one ``key``, which all have who are believed. ``clock`` is Unix time."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def seal(self, name: str, value: bytes, seconds: float) -> bytes:
        """The value as it is kept under that name, good for so long."""
        body = _UNTIL.pack(self._clock() + seconds) + value
        return self._code(name, body) + body

    def opened(self, name: str, sealed: bytes) -> bytes | None:
        """The value; None if it is forged, of another name, or over."""
        code, body = sealed[:_HASH_BYTES], sealed[_HASH_BYTES:]
        if not hmac.compare_digest(code, self._code(name, body)):
            return None
        (until,) = _UNTIL.unpack_from(body)
        return body[_UNTIL.size :] if until > self._clock() else None

    def _code(self, name: str, body: bytes) -> bytes:
        return hmac.digest(self._key, name.encode() + b"\0" + body, _HASH)
