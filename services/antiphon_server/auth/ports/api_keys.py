"""Where API keys are kept."""

from typing import Protocol

from antiphon_server.auth.model import (
    ApiKey,
    KeyId,
    Position,
)
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.revocations import Ended
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId


class ApiKeyStore(Protocol):
    """API keys, found by the hash of their secret."""

    async def add(
        self,
        key: ApiKey,
        most: int,
        records: Records[ApiKey],
        answer: Answer | None = None,
        sponsor: SessionId | None = None,
    ) -> bool:
        """Store the key; False if the user has ``most`` keys already.

        Raises DomainError SESSION_REVOKED if the ``sponsor``, the session that asks for it, does
        not live: no key is made behind the end of what made it.
        """
        ...

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """The key whose secret has that hash."""
        ...

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """A page of the user's keys, the newest first."""
        ...

    async def get(self, key_id: KeyId) -> ApiKey | None:
        """The key of that id."""
        ...

    async def lineage(self, user_id: UserId, key_id: KeyId) -> list[KeyId]:
        """The :func:`lineage` of a key of the user."""
        ...

    async def revoke(
        self, key: ApiKey, now: int, records: Records[Ended], answer: Answer | None = None
    ) -> Ended | None:
        """Delete a key and its :func:`descent`, and end the live sessions that they opened.

        None if there is no such key. Raises DomainError REQUEST_ID_REUSED, and Repeated, with
        nothing done.
        """
        ...
