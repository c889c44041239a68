"""By what servers tell that they have the secret of the others on their database."""

from sqlalchemy import Connection, select

from antiphon_server.runtime.nodes.tables import secret_marks
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert

STORE = "store"
_LEAVE = PreparedInsert(secret_marks, " ON CONFLICT DO NOTHING")
_FIND = select(secret_marks.c.mark).where(secret_marks.c.store == STORE)


class OtherSecret(Exception):
    """The servers of this database have another secret."""


class SecretMark:
    """Holds a process to the secret of the first one on its database.

    ``mark`` is made of the secret, and tells nothing of it. A server with another one would
    take over turns and conversations, and could go on with none of them: nobody trusts it.
    """

    def __init__(self, database: Database, mark: str) -> None:
        self._database = database
        self._mark = mark

    async def check(self) -> None:
        """Raise OtherSecret if the store is marked, and otherwise."""
        self._compare(await self._database.read(_found, snapshot=False))

    async def leave(self) -> None:
        """Mark the store, unless it is marked, once the secret is known to be right.

        Raises OtherSecret if another process has marked it meanwhile.
        """

        def work(connection: Connection) -> str | None:
            _LEAVE.run(connection, [{"store": STORE, "mark": self._mark}])
            return _found(connection)

        self._compare(await self._database.write(work))

    def _compare(self, found: str | None) -> None:
        if found not in (None, self._mark):
            raise OtherSecret


def _found(connection: Connection) -> str | None:
    return connection.execute(_FIND).scalar_one_or_none()
