"""Guessing: attempts are counted before they are evaluated, and run out."""

import hashlib

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.ports import AttemptStore, Clock
from antiphon_server.runtime.errors import DomainError, Reason

WINDOW = 15 * 60 * SECOND
PER_NAME_AND_ADDRESS = 5
PER_NAME = 100
"""From all addresses together (NIST SP 800-63B, 5.2.2: at most 100)."""


class Attempts:
    """Counts guesses at the password of a name.

    A lock concerns new logins alone and ends by itself with the window.
    """

    def __init__(self, store: AttemptStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def spend(self, name: str, address: str) -> None:
        """Take one attempt, or raise DomainError TOO_MANY_ATTEMPTS.

        What one address has spent in vain does not count against the name.
        """
        await self._spend(_key(name, address), PER_NAME_AND_ADDRESS)
        await self._spend(_key(name), PER_NAME)

    async def succeed(self, name: str, address: str) -> None:
        """The attempt was right: this address begins anew."""
        await self._store.reset(_key(name, address))
        await self._store.uncount(_key(name))

    async def take(self, most: int, *what: str) -> None:
        """Take one of ``most`` attempts at something else, or raise TOO_MANY_ATTEMPTS."""
        await self._spend(_key("", *what), most)

    async def give_back(self, *what: str) -> None:
        """One of those was right."""
        await self._store.uncount(_key("", *what))

    async def _spend(self, key: str, most: int) -> None:
        now = int(self._clock() * SECOND)
        spent, window_end = await self._store.count(key, now, WINDOW)
        if spent > most:
            wait = max(window_end - now, SECOND) / SECOND
            raise DomainError(Reason.TOO_MANY_ATTEMPTS, retry_after=wait)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
