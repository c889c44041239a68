"""Passwords: what is hashed, and that every check costs the same."""

from contextlib import AbstractContextManager

from antiphon_server.auth.model import User
from antiphon_server.auth.ports import PasswordHasher
from antiphon_server.auth.ports.breached_passwords import BreachedPasswords
from antiphon_server.auth.service.password_policy import normal, refuse_weak
from antiphon_server.runtime.errors import DomainError, Reason


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self, hasher: PasswordHasher, breached: BreachedPasswords) -> None:
        self._hasher = hasher
        self._breached = breached
        self._decoy = hasher.decoy()

    def slot(self, *, reserved: bool = False) -> AbstractContextManager[None]:
        """Leave to check one password. Raises DomainError OVERLOADED at once.

        Some are ``reserved`` for those who have proved themselves before.
        """
        return self._hasher.slot(reserved=reserved)

    async def accept(self, password: str, *names: str, field: str = "new_password") -> None:
        """Return if the owner of these names may have that password.

        Raises DomainError INVALID_ARGUMENT at ``field``, PASSWORD_BREACHED.
        """
        refuse_weak(password, names, field)
        for spelling in {password, normal(password)}:
            if await self._breached.contains(spelling):
                raise DomainError(Reason.PASSWORD_BREACHED)

    async def accept_for(self, user: User, password: str) -> None:
        """As ``accept``, for an account."""
        await self.accept(password, user.name, user.display_name)

    async def hash(self, password: str) -> str:
        """The hash to store for a new password. The caller has a slot."""
        return await self._hasher.hash(_bytes(password))

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; exactly one evaluation, with or without an account.

        The caller has a slot.
        """
        right = await self._hasher.verify(stored or self._decoy, _bytes(password))
        return right and stored is not None

    async def renew(self, password: str, stored: str) -> str | None:
        """The hash to store instead of one with weaker parameters; None if it is good.

        The caller has a slot.
        """
        if not self._hasher.outdated(stored):
            return None
        return await self.hash(password)


def _bytes(password: str) -> bytes:
    return normal(password).encode()
