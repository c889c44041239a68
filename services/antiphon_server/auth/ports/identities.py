"""Where identities are kept."""

from collections.abc import Callable
from typing import Protocol

from antiphon_server.auth.model import Session, User
from antiphon_server.auth.model.identities import Identity
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId


class IdentityStore(Protocol):
    """Identities; an issuer and subject belong to one user at most."""

    async def add(
        self,
        identity: Identity,
        most: int,
        records: Records[Identity],
        answer: Callable[[Identity], Answer | None],
    ) -> Identity | None:
        """Store it, and return what is there then; None if the user has ``most``.

        What signs the same user in already stays as it is, and nothing is recorded. ``answer``
        to the request is remembered in either case. Raises DomainError ALREADY_EXISTS if the
        issuer's subject signs in another user, REQUEST_ID_REUSED, and Repeated before all else.
        """
        ...

    async def sign_up(
        self, user: User, identity: Identity, records: Records[User]
    ) -> UserId | None:
        """Store a new account and its identity, together; None if the name is taken.

        Returns whom the identity signs in: another user, if it was linked meanwhile.
        """
        ...

    async def find(self, issuer: str, subject: str) -> Identity | None:
        """The identity of that subject."""
        ...

    async def use(self, issuer: str, subject: str, now: int) -> Identity | None:
        """The identity of that subject, noted to be used at ``now``."""
        ...

    async def list_of(self, user_id: UserId) -> list[Identity]:
        """All of a user's, the newest first."""
        ...

    async def remove(
        self,
        issuer: str,
        subject: str,
        now: int,
        records: Records[tuple[Identity, list[Session]]],
        answer: Answer | None = None,
    ) -> tuple[Identity, list[Session]] | None:
        """Forget it, and end its user's live sessions that providers opened.

        All of them: one issuer may stand in the settings under several names.
        Returns what it was and the sessions; None if there is none. Raises DomainError
        REQUEST_ID_REUSED, and Repeated, with nothing done.
        """
        ...
