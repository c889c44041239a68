"""API keys: long-lived credentials of programs."""

import hashlib

from antiphon_server.auth.model import SECOND, ApiKey, KeyId, Position
from antiphon_server.auth.model.security_events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    RevocationCause,
    SecurityEvent,
)
from antiphon_server.auth.ports import ApiKeyStore, Clock
from antiphon_server.auth.ports.security_events import SecurityEvents
from antiphon_server.auth.service.completion import Completion
from antiphon_server.auth.service.endings import Endings
from antiphon_server.auth.service.key_format import new_secret, well_formed
from antiphon_server.auth.service.users import printable
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.ids import new_id
from antiphon_server.runtime.permissions import Scope
from antiphon_server.runtime.principal import UserId

MOST_PER_USER = 100


class ApiKeys:
    """Makes, recognises, lists and revokes API keys."""

    def __init__(
        self,
        store: ApiKeyStore,
        endings: Endings,
        completion: Completion,
        security_events: SecurityEvents,
        clock: Clock,
    ) -> None:
        self._store = store
        self._endings = endings
        self._completion = completion
        self._security_events = security_events
        self._clock = clock

    async def create(
        self,
        owner: UserId,
        label: str,
        ttl: int | None,
        most: int = MOST_PER_USER,
        scopes: frozenset[Scope] | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which is not kept; ``ttl`` is in microseconds.

        ``scopes`` of None are no limits. Raises DomainError LIMIT_EXCEEDED if the owner has
        ``most`` already.
        """
        now, secret = self._now(), new_secret()
        key = ApiKey(
            key_id=KeyId(new_id("key")),
            user_id=owner,
            label=printable(label),
            secret_hash=_hash(secret),
            create_time=now,
            expire_time=None if ttl is None else now + ttl,
            scopes=scopes,
        )
        await self._completion.run(self._add(key, most))
        return key, secret

    async def find(self, secret: str) -> ApiKey | None:
        """The key of that secret while it works; a mistyped one never reaches the store."""
        if not well_formed(secret):
            return None
        key = await self._store.find(_hash(secret))
        return None if key is None or key.expired(self._now()) else key

    async def list_keys(self, owner: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """A page of the owner's keys, the newest first."""
        return await self._store.list_keys(owner, after, limit)

    async def get(self, key_id: KeyId) -> ApiKey:
        """The key of that id. Raises DomainError NOT_FOUND."""
        key = await self._store.get(key_id)
        if key is None:
            raise not_found(f"api_keys/{key_id}")
        return key

    async def revoke(self, key_id: KeyId) -> None:
        """Delete a key and end the sessions that it opened; whether one may is checked before.

        Returns when their tokens no longer work. If it fails it may be repeated. Raises
        DomainError NOT_FOUND.
        """
        await self._completion.run(self._revoke(key_id))

    async def _add(self, key: ApiKey, most: int) -> None:
        if not await self._store.add(key, most):
            raise DomainError(Reason.LIMIT_EXCEEDED, limit="api_keys")
        created = ApiKeyCreated(key.key_id, key.label, key.expire_time)
        await self._security_events.record(SecurityEvent(created, key.user_id))

    async def _revoke(self, key_id: KeyId) -> None:
        key = await self.get(key_id)
        ended = await self._store.revoke(key_id, self._now())
        if ended is None:
            raise not_found(f"api_keys/{key_id}")
        event = SecurityEvent(ApiKeyRevoked(key_id), key.user_id)
        await self._endings.announce(ended, RevocationCause.API_KEY_REVOKED, event)
        await self._store.remove(key_id)  # as long as it is not recorded it can be repeated

    def _now(self) -> int:
        return int(self._clock() * SECOND)


def _hash(secret: str) -> bytes:
    """A plain digest is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
