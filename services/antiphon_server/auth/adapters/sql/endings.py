"""The order of endings in a database."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, bindparam, func, insert, select

from antiphon_server.auth.adapters.ending_tables import counters, endings
from antiphon_server.auth.adapters.sql.rows import select_all
from antiphon_server.auth.model import Session
from antiphon_server.auth.model.endings import Ending
from antiphon_server.runtime.database import Database

COUNTER = "endings"
_ADD = insert(endings)
_LAST = select(func.max(counters.c.value)).where(counters.c.name == COUNTER)
_AFTER = (
    select_all(endings)
    .where(endings.c.position > bindparam("after"))
    .order_by(endings.c.position)
    .limit(bindparam("page_limit", type_=Integer))
)


@cache
def _count(dialect_name: str) -> Any:
    """Take ``many`` places; whoever else takes some waits until this transaction is over."""
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    many = bindparam("many", type_=BigInteger)
    return (
        dialect.insert(counters)
        .values({"name": COUNTER, "value": many})
        .on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + many})
        .returning(counters.c.value)
    )


def note_endings(connection: Connection, ended: Sequence[Session]) -> None:
    """Give the sessions' ends their places; the last lock that a transaction takes."""
    if not ended:
        return
    many = len(ended)
    last = connection.execute(_count(connection.dialect.name), {"many": many}).scalar_one()
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
        """See :meth:`EndingStore.last`."""
        return await self._database.read(lambda connection: connection.execute(_LAST).scalar() or 0)

    async def after(self, position: int, limit: int) -> list[Ending]:
        """See :meth:`EndingStore.after`."""
        values = {"after": position, "page_limit": limit}
        return await self._database.read(
            lambda connection: [Ending(*row) for row in connection.execute(_AFTER, values)]
        )
