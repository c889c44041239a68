"""The files of memory's database, freed of what was erased, all tables at once."""

from antiphon_server.memory.adapters import sql_memories, sql_summaries, sql_whiteboards
from antiphon_server.runtime.storage.database import Database

_TABLES = (*sql_memories.SAYING, *sql_summaries.TABLES, *sql_whiteboards.SAYING)


class SqlFiles:
    """A :class:`~antiphon_server.memory.ports.Files` of a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def scrub(self) -> None:
        """See :meth:`Files.scrub`."""
        await self._database.scrub(_TABLES)
