"""Passwords: what is hashed, and that every check costs the same."""

import unicodedata
from contextlib import AbstractContextManager

from antiphon_server.auth.ports import PasswordHasher
from antiphon_server.runtime.errors import invalid

SHORTEST = 12


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._decoy = hasher.decoy()

    def slot(self) -> AbstractContextManager[None]:
        """Leave to check one password. Raises DomainError OVERLOADED at once."""
        return self._hasher.slot()

    async def hash(self, password: str) -> str:
        """The hash to store for a new password.

        Raises DomainError INVALID_ARGUMENT for one that is too short, OVERLOADED.
        """
        if len(unicodedata.normalize("NFKC", password)) < SHORTEST:
            raise invalid("password", f"must have at least {SHORTEST} characters")
        with self.slot():
            return await self._hasher.hash(_normal(password))

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; exactly one evaluation, with or without an account.

        The caller has a slot.
        """
        right = await self._hasher.verify(stored or self._decoy, _normal(password))
        return right and stored is not None

    async def renew(self, password: str, stored: str) -> str | None:
        """The hash to store instead of one with weaker parameters; None if it is good.

        The caller has a slot.
        """
        if not self._hasher.outdated(stored):
            return None
        return await self._hasher.hash(_normal(password))


def _normal(password: str) -> bytes:
    """The same bytes however the characters were typed (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode()
