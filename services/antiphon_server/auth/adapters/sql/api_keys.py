"""API keys in a database."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from antiphon_server.auth.adapters.sql.rows import live, page, page_parameters, select_all
from antiphon_server.auth.adapters.sql.sessions import end_all, store_changes
from antiphon_server.auth.adapters.tables import api_keys, sessions, users
from antiphon_server.auth.model import ApiKey, KeyId, Position, Session
from antiphon_server.runtime.database import Database
from antiphon_server.runtime.principal import UserId

_LOCK_OWNER = (
    select(users.c.user_id).where(users.c.user_id == bindparam("user_id")).with_for_update()
)
_COUNT = select(func.count()).where(api_keys.c.user_id == bindparam("user_id"))
_ADD = insert(api_keys)
_BY_HASH = select_all(api_keys).where(api_keys.c.secret_hash == bindparam("secret_hash"))
_PAGE = page(api_keys, "key_id")
_BY_ID = select_all(api_keys).where(api_keys.c.key_id == bindparam("key_id"))
_REVOKE = update(api_keys).where(api_keys.c.key_id == bindparam("which")).values(expire_time=0)
_REMOVE = delete(api_keys).where(api_keys.c.key_id == bindparam("key_id"))
_OPENED = (
    select_all(sessions)
    .where(sessions.c.api_key_id == bindparam("key_id"), live())
    .with_for_update()
)


class SqlApiKeys:
    """An :class:`~antiphon_server.auth.ports.ApiKeyStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: ApiKey, most: int) -> bool:
        """See :meth:`ApiKeyStore.add`."""

        def work(connection: Connection) -> bool:
            owner = {"user_id": key.user_id}
            connection.execute(_LOCK_OWNER, owner)  # two at once must count each other
            if connection.execute(_COUNT, owner).scalar_one() >= most:
                return False
            connection.execute(_ADD, asdict(key))
            return True

        return await self._database.write(work)

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """See :meth:`ApiKeyStore.find`."""
        return await self._one(_BY_HASH, {"secret_hash": secret_hash})

    async def get(self, key_id: KeyId) -> ApiKey | None:
        """See :meth:`ApiKeyStore.get`."""
        return await self._one(_BY_ID, {"key_id": key_id})

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        """See :meth:`ApiKeyStore.list_keys`."""
        values = page_parameters(user_id, after, limit)
        return await self._database.read(
            lambda connection: [ApiKey(*row) for row in connection.execute(_PAGE, values)]
        )

    async def revoke(self, key_id: KeyId, now: int) -> list[Session] | None:
        """See :meth:`ApiKeyStore.revoke`."""

        def work(connection: Connection) -> list[Session] | None:
            if not connection.execute(_REVOKE, {"which": key_id}).rowcount:
                return None
            opened = connection.execute(_OPENED, {"key_id": key_id, "now": now}).all()
            ended = end_all(opened, now)
            store_changes(connection, ended)
            return ended

        return await self._database.write(work)

    async def remove(self, key_id: KeyId) -> None:
        """See :meth:`ApiKeyStore.remove`."""
        values = {"key_id": key_id}
        await self._database.write(lambda connection: connection.execute(_REMOVE, values))

    async def _one(self, query: Any, values: dict[str, object]) -> ApiKey | None:
        def work(connection: Connection) -> ApiKey | None:
            row = connection.execute(query, values).one_or_none()
            return ApiKey(*row) if row else None

        return await self._database.read(work)
