"""Password resets in a database."""

from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, insert

from antiphon_server.auth.adapters.password_reset_tables import password_resets
from antiphon_server.auth.adapters.sql.requests import remember
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.adapters.sql.user_rows import locked_user
from antiphon_server.auth.model.password_resets import PasswordReset
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.storage.database import Database

_ADD = insert(password_resets)
_REMOVE = delete(password_resets).where(password_resets.c.user_id == bindparam("whose"))
_BY_HASH = select_all(password_resets).where(
    password_resets.c.token_hash == bindparam("token_hash")
)


class SqlPasswordResets:
    """A :class:`~antiphon_server.auth.ports.password_resets.PasswordResetStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, reset: PasswordReset, records: Records[PasswordReset], answer: Answer | None = None
    ) -> None:
        def work(connection: Connection) -> None:
            locked_user(connection, reset.user_id)  # two at once come one after another
            remember(connection, answer)
            connection.execute(_REMOVE, {"whose": reset.user_id})
            connection.execute(_ADD, asdict(reset))
            record(connection, records, reset)

        await self._database.write(work)

    async def find(self, token_hash: bytes) -> PasswordReset | None:
        def work(connection: Connection) -> PasswordReset | None:
            row = connection.execute(_BY_HASH, {"token_hash": token_hash}).one_or_none()
            return PasswordReset(*row) if row else None

        return await self._database.read(work)
