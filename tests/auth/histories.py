"""Ends of sessions in a store that fails over to one that lacks the newest."""

from dataclasses import replace

from sqlalchemy import Connection, delete

from antiphon_server.auth.adapters.ending_tables import endings
from antiphon_server.auth.adapters.sql.counters import count_on
from antiphon_server.auth.adapters.sql.endings import COUNTER, SqlEndings, note_endings
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.contract.auth_store.world import session


class FailingOver(SqlEndings):
    """``end`` and ``lose`` make its history; it can't be read while it is ``away``.

    ``asked`` counts how often somebody has asked for the newest place.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.away = False
        self.asked = 0

    async def end(self, *session_ids: str, time: int = 0) -> None:
        """Note that these have ended."""
        ended = [
            replace(session(1), session_id=SessionId(session_id), end_time=time)
            for session_id in session_ids
        ]
        await self._database.write(lambda connection: note_endings(connection, ended))

    async def lose(self, many: int) -> None:
        """Go back to what it was before the last so many."""

        def work(connection: Connection) -> None:
            left = count_on(connection, COUNTER, -many)
            connection.execute(delete(endings).where(endings.c.position > left))

        await self._database.write(work)

    async def last(self) -> int:
        """See :meth:`EndingStore.last`. Raises DomainError STORE_UNAVAILABLE."""
        self.asked += 1
        if self.away:
            raise DomainError(Reason.STORE_UNAVAILABLE)
        return await super().last()
