"""Links that sign the local operator in: for whoever can read the operator's key, once.

Others on the machine reach the port, too, so a link proves that its maker can read the key's
file, as a command of the operator does. It is signed with the key, so that a command makes one
without asking the server; it works once, for some minutes; and it stands behind ``#``, which no
browser sends anywhere.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from antiphon_server.runtime.encoding.base64url import decoded, encoded

LIVES_S = 600
_NONCE, _MAC = 16, 32
_TIME = 8
_PURPOSE = b"antiphon web link 1"
_MOST_USED = 10_000


def make_link(key: str, now: float | None = None) -> str:
    """A link's secret, which lives for 10 minutes."""
    ends = int((time.time() if now is None else now) + LIVES_S)
    head = ends.to_bytes(_TIME, "big") + secrets.token_bytes(_NONCE)
    return encoded(head + _mac(key, head))


class Links:
    """Tells good links from others, and lets each through once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._used: dict[bytes, int] = {}

    def redeem(self, link: str, key: str) -> bool:
        """Whether the link is of the key, in time, and had not been used."""
        try:
            raw = decoded(link)
        except ValueError:
            return False
        head, mac = raw[: _TIME + _NONCE], raw[_TIME + _NONCE :]
        if len(raw) != _TIME + _NONCE + _MAC or not hmac.compare_digest(mac, _mac(key, head)):
            return False
        now, ends = self._clock(), int.from_bytes(head[:_TIME], "big")
        self._used = {used: end for used, end in self._used.items() if end > now}
        fresh = now < ends <= now + LIVES_S + 1 and head not in self._used
        if not fresh or len(self._used) >= _MOST_USED:
            return False
        self._used[head] = ends
        return True


def _mac(key: str, head: bytes) -> bytes:
    return hmac.new(key.encode(), _PURPOSE + head, hashlib.sha256).digest()
