"""Accounts in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from antiphon_server.auth.model import (
    KeyId,
    Session,
    User,
)
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.user_changes import UserChange, ends_sessions
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.memory.auth.rows import MemoryRows, ended_at


class MemoryUsers:
    """A :class:`~antiphon_server.auth.ports.UserStore` in memory."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def add(self, user: User, answer: Answer | None, records: Records[User]) -> User:
        """See :meth:`UserStore.add`."""
        self._rows.requests.check(answer)
        if await self.find(user.name):
            raise DomainError(Reason.ALREADY_EXISTS, resource=f"users/{user.name}")
        self._rows.trail.record(records, user)
        self._rows.users[user.user_id] = user
        self._rows.requests.remember(answer)
        return user

    async def get(self, user_id: UserId) -> User | None:
        """See :meth:`UserStore.get`."""
        return self._rows.users.get(user_id)

    async def find(self, name: str) -> User | None:
        """See :meth:`UserStore.find`."""
        return next((user for user in self._rows.users.values() if user.name == name), None)

    async def names_of(self, user_ids: Collection[UserId]) -> dict[UserId, str]:
        """See :meth:`UserStore.names_of`."""
        found = (self._rows.users.get(user_id) for user_id in user_ids)
        return {user.user_id: user.display_name for user in found if user}

    async def list_named(self, prefix: str, after: str, limit: int) -> list[User]:
        """See :meth:`UserStore.list_named`."""
        found = [user for user in self._rows.users.values() if user.name.startswith(prefix)]
        return sorted((user for user in found if user.name > after), key=lambda user: user.name)[
            :limit
        ]

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
        """See :meth:`UserStore.change`."""
        before = self._rows.users.get(user_id)
        if before is None:
            return None
        after = rule(before)
        rest = (user for user in self._rows.users.values() if user.user_id != user_id)
        if before.governs and not after.governs and not any(user.governs for user in rest):
            raise DomainError(Reason.LAST_OPERATOR)
        ended: list[Session] = []
        shut: Sequence[KeyId] = ()
        if ends_sessions(before, after):
            theirs = self._rows.live_of(user_id, now)
            ended = ended_at(now, (one for one in theirs if one.session_id != kept))
            shut = self._rows.other_keys(user_id, kept) if api_keys else ()
        change = UserChange(before, after, tuple(ended), tuple(shut))
        self._rows.trail.record(records, change)
        self._rows.users[user_id] = after
        self._rows.end(ended)
        self._rows.remove(shut)
        return change

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """See :meth:`UserStore.replace_password_hash`."""
        user = self._rows.users.get(user_id)
        if user and user.password_hash == old:
            self._rows.users[user_id] = replace(user, password_hash=new)
