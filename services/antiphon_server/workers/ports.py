"""What workers need from outside."""

from collections.abc import Sequence
from typing import Protocol

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.workers.model import HandlerName, Parent, WorkerPermission


class PermissionStore(Protocol):
    """Keeps which users' workers may serve what, for all servers."""

    async def add(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Store, in the caller's name, that they may; one that is there stays as it is.

        Raises DomainError LIMIT_EXCEEDED.
        """
        ...

    async def remove(self, parent: Parent, handler: HandlerName, user_id: UserId) -> None:
        """Forget that they may, if it is there."""
        ...

    async def all(self) -> Sequence[WorkerPermission]:
        """All of the installation."""
        ...

    async def version(self) -> int:
        """A number that is another one after each change."""
        ...

    async def listed(
        self, parent: Parent, after: tuple[str, str], limit: int
    ) -> Sequence[WorkerPermission]:
        """Those of a parent by handler and user, from behind ``after`` = (handler, user id)."""
        ...


class Users(Protocol):
    """Knows who has an account."""

    async def require(self, user_id: UserId) -> None:
        """Return if there is such a user. Raises DomainError NOT_FOUND."""
        ...
