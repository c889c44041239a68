"""Signing keys in a database."""

from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from antiphon_server.auth.adapters.account_tables import signing_keys
from antiphon_server.auth.adapters.sql.counters import count_on
from antiphon_server.auth.adapters.sql.endings import COUNTER
from antiphon_server.auth.adapters.sql.requests import remember
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.adapters.sql.security_events import record
from antiphon_server.auth.model import Rotation, StoredSigningKey
from antiphon_server.auth.model.requests import Answer
from antiphon_server.auth.ports.security_events import Records
from antiphon_server.runtime.storage.database import Database

_ADD = insert(signing_keys)
_VALID = (
    select_all(signing_keys)
    .where(or_(signing_keys.c.retire_time.is_(None), signing_keys.c.retire_time > bindparam("now")))
    .order_by(signing_keys.c.create_time, signing_keys.c.kid)
)
# Who comes second waits here, and then sees that the key it meant to replace is retired.
_USED = (
    select(signing_keys.c.create_time).where(signing_keys.c.retire_time.is_(None)).with_for_update()
)
_RETIRE = (
    update(signing_keys)
    .where(signing_keys.c.retire_time.is_(None))
    .values(retire_time=bindparam("when"))
    .returning(signing_keys.c.kid)
)
_HASTEN = (
    update(signing_keys)
    .where(signing_keys.c.retire_time > bindparam("when"))
    .values(retire_time=bindparam("when"))
)
_FORGET = delete(signing_keys).where(signing_keys.c.retire_time <= bindparam("now"))


class SqlSigningKeys:
    """A :class:`~antiphon_server.auth.ports.SigningKeyStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rotate(
        self,
        fresh: StoredSigningKey,
        when: int,
        now: int,
        records: Records[Rotation],
        unless_since: int | None = None,
        answer: Answer | None = None,
    ) -> bool:
        def work(connection: Connection) -> bool:
            used = connection.execute(_USED).scalars().all()
            if unless_since is not None and (not used or max(used) > unless_since):
                return False
            remember(connection, answer)
            retired = connection.execute(_RETIRE, {"when": when}).scalars().all()
            connection.execute(_HASTEN, {"when": when})
            connection.execute(_FORGET, {"now": now})
            connection.execute(_ADD, asdict(fresh))
            count_on(connection, COUNTER, 1)
            record(connection, records, Rotation(fresh, tuple(sorted(retired))))
            return True

        return await self._database.write(work)

    async def list_valid(self, now: int) -> list[StoredSigningKey]:
        return await self._database.read(
            lambda connection: [
                StoredSigningKey(*row) for row in connection.execute(_VALID, {"now": now})
            ],
            snapshot=False,
        )
