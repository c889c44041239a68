"""Guessing: attempts are counted before they are evaluated, and run out."""

import hashlib

from antiphon_server.auth.model import DAY, SECOND
from antiphon_server.auth.ports import AttemptStore, Clock
from antiphon_server.auth.ports.places import PlaceStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.runtime.errors import DomainError, Reason

WINDOW = 15 * 60 * SECOND
PER_NAME_AND_ADDRESS = 5
PER_NAME = 100
"""From all strange addresses together (NIST SP 800-63B, 5.2.2: at most 100)."""
KNOWN_FOR = 90 * DAY
MOST_KNOWN = 20


class Attempts:
    """Counts guesses at the password of a name.

    A lock concerns new logins alone and ends by itself with the window. Where a name's password was
    right within ``KNOWN_FOR``, what strangers guess elsewhere does not count: they can't
    lock its owner out (NIST SP 800-63B, 5.2.2: addresses of earlier successes).
    """

    def __init__(self, store: AttemptStore, places: PlaceStore, clock: Clock) -> None:
        self._store = store
        self._places = places
        self._now = micros(clock)

    async def knows(self, name: str, address: str) -> bool:
        """Whether the name's password was right at that address, not long ago.

        Asks the same of names that nobody has.
        """
        return await self._places.knows(_subject(name), address, self._now() - KNOWN_FOR)

    async def spend(self, name: str, address: str) -> None:
        """Take one attempt, or raise DomainError TOO_MANY_ATTEMPTS.

        What one address has spent in vain does not count against the name.
        """
        await self._spend(_key(name, address), PER_NAME_AND_ADDRESS)
        if not await self.knows(name, address):
            await self._spend(_key(name), PER_NAME)

    async def succeed(self, name: str, address: str) -> None:
        """The attempt was right: this address begins anew, and is known from now on."""
        await self._store.reset(_key(name, address))
        if not await self.knows(name, address):
            await self._store.uncount(_key(name))
        await self._places.record(_subject(name), address, self._now(), MOST_KNOWN)

    async def take(self, most: int, *what: str) -> int:
        """Take one of ``most`` attempts at something else, or raise TOO_MANY_ATTEMPTS.

        Returns how many are taken now.
        """
        return await self._spend(_key("", *what), most)

    async def give_back(self, *what: str) -> None:
        """One of those was right."""
        await self._store.uncount(_key("", *what))

    async def _spend(self, key: str, most: int) -> int:
        now = self._now()
        spent, window_end = await self._store.count(key, now, WINDOW)
        if spent > most:
            wait = max(window_end - now, SECOND) / SECOND
            raise DomainError(Reason.TOO_MANY_ATTEMPTS, retry_after=wait)
        return spent


def _subject(name: str) -> str:
    return f"names/{_key(name)}"


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
