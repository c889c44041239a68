"""API keys in memory."""

from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Position,
)
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.revocations import Ended, descent
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from tests.fakes.memory.auth.rows import MemoryRows, ended_at, page


class MemoryApiKeys:
    """An :class:`~antiphon_server.auth.ports.ApiKeyStore` in memory."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def add(
        self,
        key: ApiKey,
        most: int,
        records: Records[ApiKey],
        answer: Answer | None = None,
        sponsor: SessionId | None = None,
    ) -> bool:
        """See :meth:`ApiKeyStore.add`."""
        self._rows.requests.check(answer)
        if sponsor and not self._rows.lives(sponsor, key.create_time):
            raise DomainError(Reason.SESSION_REVOKED)
        if len(self._of(key.user_id)) >= most:
            return False
        self._rows.trail.record(records, key)
        self._rows.api_keys[key.key_id] = key
        self._rows.requests.remember(answer)
        return True

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """See :meth:`ApiKeyStore.find`."""
        keys = self._rows.api_keys.values()
        return next((key for key in keys if key.secret_hash == secret_hash), None)

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """See :meth:`ApiKeyStore.list_keys`."""
        found = self._of(user_id)
        return page(found, lambda key: (key.create_time, key.key_id), after)[:limit]

    async def get(self, key_id: KeyId) -> ApiKey | None:
        """See :meth:`ApiKeyStore.get`."""
        return self._rows.api_keys.get(key_id)

    async def revoke(
        self, key: ApiKey, now: int, records: Records[Ended], answer: Answer | None = None
    ) -> Ended | None:
        """See :meth:`ApiKeyStore.revoke`."""
        if key.key_id not in self._rows.api_keys:
            return None
        self._rows.requests.check(answer)
        removed = descent(key.key_id, self._rows.parents(key.user_id))
        sessions = self._rows.sessions.values()
        opened = [one for one in sessions if one.api_key_id in removed and one.live(now)]
        ended = self._rows.trail.record(records, Ended(ended_at(now, opened), removed))
        self._rows.remove(ended.keys)
        self._rows.end(ended.sessions)
        self._rows.requests.remember(answer)
        return ended

    def _of(self, user_id: UserId) -> list[ApiKey]:
        return [key for key in self._rows.api_keys.values() if key.user_id == user_id]
