"""The order of endings in a database."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, Integer, bindparam, func, insert, select

from antiphon_server.auth.adapters.ending_tables import counters, endings
from antiphon_server.auth.adapters.sql.counters import count_on
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.model import Session
from antiphon_server.auth.model.endings import Ending
from antiphon_server.runtime.storage.database import Database

COUNTER = "endings"
_ADD = insert(endings)
_LAST = select(func.max(counters.c.value)).where(counters.c.name == COUNTER)
_FIRST_SINCE = select(func.min(endings.c.position)).where(
    endings.c.end_time >= bindparam("since", type_=BigInteger)
)
_AFTER = (
    select_all(endings)
    .where(endings.c.position > bindparam("after"))
    .order_by(endings.c.position)
    .limit(bindparam("page_limit", type_=Integer))
)


def note_endings(connection: Connection, ended: Sequence[Session]) -> None:
    """Give the sessions' ends their places; before their transaction records them."""
    if not ended:
        return
    many = len(ended)
    last = count_on(connection, COUNTER, many)
    rows = [
        {"position": position, "session_id": one.session_id, "end_time": one.end_time}
        for position, one in enumerate(ended, last - many + 1)
    ]
    connection.execute(_ADD, rows)


class SqlEndings:
    """An :class:`~antiphon_server.auth.ports.endings.EndingStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        return await self._database.read(
            lambda connection: connection.execute(_LAST).scalar() or 0, snapshot=False
        )

    async def after(self, position: int, limit: int) -> list[Ending]:
        values = {"after": position, "page_limit": limit}
        return await self._database.read(
            lambda connection: [Ending(*row) for row in connection.execute(_AFTER, values)],
            snapshot=False,
        )

    async def before(self, time: int) -> int:
        def position(connection: Connection) -> int:
            last: int = connection.execute(_LAST).scalar() or 0  # first: more may end meanwhile
            first = connection.execute(_FIRST_SINCE, {"since": time}).scalar()
            return last if first is None else int(first) - 1

        return await self._database.read(position)
