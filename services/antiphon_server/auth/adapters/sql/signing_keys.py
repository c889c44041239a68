"""Signing keys in a database."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, insert, or_, update

from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.tables import signing_keys
from antiphon_server.auth.model import StoredSigningKey
from antiphon_server.runtime.database import Database

_ADD = insert(signing_keys)
_VALID = (
    select_all(signing_keys)
    .where(or_(signing_keys.c.retire_time.is_(None), signing_keys.c.retire_time > bindparam("now")))
    .order_by(signing_keys.c.create_time, signing_keys.c.kid)
)
_RETIRE = (
    update(signing_keys)
    .where(
        signing_keys.c.kid.in_(bindparam("kids", expanding=True)),
        or_(signing_keys.c.retire_time.is_(None), signing_keys.c.retire_time > bindparam("when")),
    )
    .values(retire_time=bindparam("when"))
)
_FORGET = delete(signing_keys).where(signing_keys.c.retire_time <= bindparam("now"))


class SqlSigningKeys:
    """A :class:`~antiphon_server.auth.ports.SigningKeyStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: StoredSigningKey) -> None:
        """See :meth:`SigningKeyStore.add`."""
        await self._database.write(lambda connection: connection.execute(_ADD, asdict(key)))

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        """See :meth:`SigningKeyStore.list_valid`."""
        return await self._database.read(
            lambda connection: [
                StoredSigningKey(*row) for row in connection.execute(_VALID, {"now": now})
            ]
        )

    async def retire(self, kids: Sequence[str], when: int, now: int) -> None:
        """See :meth:`SigningKeyStore.retire`."""

        def work(connection: Connection) -> None:
            connection.execute(_RETIRE, {"kids": list(kids), "when": when})
            connection.execute(_FORGET, {"now": now})

        await self._database.write(work)
