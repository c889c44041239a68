"""API keys in a database."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from antiphon_server.auth.adapters.account_tables import api_keys, sessions
from antiphon_server.auth.adapters.sql.key_rows import parents_of, remove
from antiphon_server.auth.adapters.sql.requests import check, remember
from antiphon_server.auth.adapters.sql.rows import live, page, page_parameters, select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.sessions import end_all, lives, store_changes
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model import ApiKey, KeyId, Position
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.model.revocations import Ended, descent, lineage
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

_COUNT = select(func.count()).where(api_keys.c.user_id == bindparam("user_id"))
_ADD = insert(api_keys)
_BY_HASH = select_all(api_keys).where(api_keys.c.secret_hash == bindparam("secret_hash"))
_PAGE = page(api_keys, "key_id")
_BY_ID = select_all(api_keys).where(api_keys.c.key_id == bindparam("key_id"))
_OPENED = (
    select_all(sessions)
    .where(sessions.c.api_key_id.in_(bindparam("which", expanding=True)), live())
    .order_by(sessions.c.session_id)
    .with_for_update()
)


class SqlApiKeys:
    """An :class:`~antiphon_server.auth.ports.ApiKeyStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        key: ApiKey,
        most: int,
        records: Records[ApiKey],
        answer: Answer | None = None,
        sponsor: SessionId | None = None,
    ) -> bool:
        def work(connection: Connection) -> bool:
            locked_user(connection, key.user_id)  # two at once must count each other
            check(connection, answer)
            if sponsor and not lives(connection, sponsor, key.create_time):
                raise DomainError(Reason.SESSION_REVOKED)
            if connection.execute(_COUNT, {"user_id": key.user_id}).scalar_one() >= most:
                return False
            connection.execute(_ADD, asdict(key))
            remember(connection, answer)
            record(connection, records, key)
            return True

        return await self._database.write(work)

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        values: dict[str, object] = {"secret_hash": secret_hash}
        return await self._database.read(lambda connection: _one(connection, _BY_HASH, values))

    async def get(self, key_id: KeyId) -> ApiKey | None:
        values: dict[str, object] = {"key_id": key_id}
        return await self._database.read(lambda connection: _one(connection, _BY_ID, values))

    async def list_keys(self, user_id: UserId, after: Position | None, limit: int) -> list[ApiKey]:
        values = page_parameters(user_id, after, limit)
        return await self._database.read(
            lambda connection: [ApiKey(*row) for row in connection.execute(_PAGE, values)]
        )

    async def lineage(self, user_id: UserId, key_id: KeyId) -> list[KeyId]:
        return await self._database.read(
            lambda connection: lineage(key_id, parents_of(connection, user_id))
        )

    async def revoke(
        self, key: ApiKey, now: int, records: Records[Ended], answer: Answer | None = None
    ) -> Ended | None:
        def work(connection: Connection) -> Ended | None:
            locked_user(connection, key.user_id)  # none is made with it meanwhile
            parents = parents_of(connection, key.user_id)
            if key.key_id not in parents:
                return None
            remember(connection, answer)
            revoked = descent(key.key_id, parents)
            remove(connection, revoked)
            opened = connection.execute(_OPENED, {"which": revoked, "now": now}).all()
            ended = end_all(opened, now)
            store_changes(connection, ended)
            return record(connection, records, Ended(ended, revoked))

        return await self._database.write(work)


def _one(connection: Connection, query: Any, values: dict[str, object]) -> ApiKey | None:
    row = connection.execute(query, values).one_or_none()
    return ApiKey(*row) if row else None
