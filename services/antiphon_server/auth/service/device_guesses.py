"""Guessing at user codes: counted before they are looked up, and they run out.

RFC 8628, 5.1: with at most 1,000 devices waiting, one guess hits one with a probability of
1,000 / 20 ** 8 = 4e-8. Whoever has any number of accounts has 1,000 guesses in 15 minutes, all
together, and so a chance of 4e-5 to decide about somebody's device in that time; with one account
4e-7.
"""

from antiphon_server.auth.service.attempts import Attempts

PER_USER = 10
IN_ALL = 1_000


class DeviceGuesses:
    """Counts the codes that users type."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    async def spend(self, user_id: str) -> None:
        """Take one guess, or raise DomainError TOO_MANY_ATTEMPTS.

        What one user has spent in vain does not count against the others.
        """
        await self._attempts.take(PER_USER, "device codes", user_id)
        await self._attempts.take(IN_ALL, "device codes")

    async def succeed(self, user_id: str) -> None:
        """It was no guess."""
        await self._attempts.give_back("device codes", user_id)
        await self._attempts.give_back("device codes")
