"""Identities in memory."""

from collections.abc import Callable
from dataclasses import replace

from antiphon_server.auth.model import Session, User
from antiphon_server.auth.model.identities import Identity
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports import UserStore
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.memory.auth.rows import MemoryRows, ended_at


class MemoryIdentities:
    """An :class:`~antiphon_server.auth.ports.identities.IdentityStore` in memory."""

    def __init__(self, rows: MemoryRows, users: UserStore) -> None:
        self._rows = rows
        self._users = users
        self._identities: dict[tuple[str, str], Identity] = {}

    async def add(
        self,
        identity: Identity,
        most: int,
        records: Records[Identity],
        answer: Callable[[Identity], Answer | None],
    ) -> Identity | None:
        """See :meth:`IdentityStore.add`."""
        self._rows.requests.check(answer(identity))
        key = identity.issuer, identity.subject
        found = self._identities.get(key)
        if found and found.user_id == identity.user_id:
            self._rows.requests.remember(answer(found))
            return found
        if len(await self.list_of(identity.user_id)) >= most:
            return None
        if found:
            resource = f"identities/{identity.subject}"
            raise DomainError(Reason.ALREADY_EXISTS, resource=resource)
        self._rows.trail.record(records, identity)
        self._identities[key] = identity
        self._rows.requests.remember(answer(identity))
        return identity

    async def sign_up(
        self, user: User, identity: Identity, records: Records[User]
    ) -> UserId | None:
        """See :meth:`IdentityStore.sign_up`."""
        found = self._identities.get((identity.issuer, identity.subject))
        if found:
            return found.user_id
        if await self._users.find(user.name):
            return None
        await self._users.add(user, None, records)
        self._identities[identity.issuer, identity.subject] = identity
        return user.user_id

    async def find(self, issuer: str, subject: str) -> Identity | None:
        """See :meth:`IdentityStore.find`."""
        return self._identities.get((issuer, subject))

    async def use(self, issuer: str, subject: str, now: int) -> Identity | None:
        """See :meth:`IdentityStore.use`."""
        found = self._identities.get((issuer, subject))
        if found is None:
            return None
        self._identities[issuer, subject] = replace(found, last_use_time=now)
        return self._identities[issuer, subject]

    async def list_of(self, user_id: UserId) -> list[Identity]:
        """See :meth:`IdentityStore.list_of`."""
        found = [one for one in self._identities.values() if one.user_id == user_id]
        return sorted(found, key=lambda one: (-one.create_time, one.issuer, one.subject))

    async def remove(
        self,
        issuer: str,
        subject: str,
        now: int,
        records: Records[tuple[Identity, list[Session]]],
        answer: Answer | None = None,
    ) -> tuple[Identity, list[Session]] | None:
        """See :meth:`IdentityStore.remove`."""
        found = self._identities.get((issuer, subject))
        if found is None:
            return None
        self._rows.requests.check(answer)
        theirs = self._rows.live_of(found.user_id, now)
        ended = ended_at(now, (one for one in theirs if one.provider))
        self._rows.trail.record(records, (found, ended))
        del self._identities[issuer, subject]
        self._rows.end(ended)
        self._rows.requests.remember(answer)
        return found, ended
