"""Where accounts are kept."""

from collections.abc import Callable, Collection
from typing import Protocol

from antiphon_server.auth.model import (
    User,
)
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.user_changes import UserChange
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId


class UserStore(Protocol):
    """Accounts, found by id and by folded name.

    Here as in the other stores, ``records`` are of what was done: nothing, if there was nothing
    to do. An ``answer`` is remembered in the same transaction; if its request was answered before,
    Repeated is raised instead, or DomainError REQUEST_ID_REUSED.
    """

    async def add(self, user: User, answer: Answer | None, records: Records[User]) -> User:
        """Store ``user``, and return it. Raises DomainError ALREADY_EXISTS if the name is taken."""
        ...

    async def get(self, user_id: UserId) -> User | None:
        """The user of that id."""
        ...

    async def find(self, name: str) -> User | None:
        """The user of that folded name."""
        ...

    async def names_of(self, user_ids: Collection[UserId]) -> dict[UserId, str]:
        """What those of them who exist are called."""
        ...

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        """Users whose folded name begins with ``prefix`` and follows ``after``, by name."""
        ...

    async def change(
        self,
        user_id: UserId,
        rule: Callable[[User], User],
        now: int,
        records: Records[UserChange],
        kept: SessionId | None = None,
        *,
        api_keys: bool = False,
    ) -> UserChange | None:
        """Replace the user by what ``rule`` makes of it, in one transaction.

        Where :func:`ends_sessions` says so it ends the user's live sessions, but for
        ``kept``, and as :meth:`SessionStore.end_all` the ``api_keys``. Concurrent changes
        happen one after another. What ``rule`` raises changes nothing. None if there is no
        such user. Raises DomainError LAST_OPERATOR if nobody would be left who governs.
        """
        ...

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """Store ``new`` unless the hash is no longer ``old``."""
        ...
