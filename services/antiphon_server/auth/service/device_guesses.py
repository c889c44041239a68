"""Guessing at user codes: counted before they are looked up, and they run out.

RFC 8628, 5.1: with at most 1,000 devices waiting, one guess hits one with a probability of
1,000 / 20 ** 8 = 4e-8. Each user has 2 guesses in 15 minutes that count against nobody else, so
that guessers shut out nobody who mistypes; all further ones together are 1,000. So whoever has
1,000 accounts has 3,000 guesses, and a chance of 1.2e-4 to decide about somebody's device in that
time, as somebody that they are themselves; with one account it is 4e-7.
"""

from antiphon_server.auth.service.attempts import Attempts

PER_USER = 10
OWN = 2
"""So many of them count against nobody else."""
IN_ALL = 1_000
_ALL = "device codes"


class DeviceGuesses:
    """Counts the codes that users type."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def spend(self, user_id: str) -> bool:
        """Take one guess, or raise DomainError TOO_MANY_ATTEMPTS.

        What one user has spent in vain does not count against the others. Returns whether it was
        taken from those of all.
        """
        shared = await self._attempts.take(PER_USER, _ALL, user_id) > OWN
        if shared:
            await self._attempts.take(IN_ALL, _ALL)
        return shared

    async def succeed(self, user_id: str, shared: bool) -> None:
        """It was no guess; ``shared`` is what ``spend`` said of it."""
        await self._attempts.give_back(_ALL, user_id)
        if shared:
            await self._attempts.give_back(_ALL)
