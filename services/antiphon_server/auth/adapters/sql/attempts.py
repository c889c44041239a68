"""Counters of guesses in a database."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, delete, update

from antiphon_server.auth.adapters.account_tables import attempts
from antiphon_server.runtime.storage.database import Database

_KEY = attempts.c.key == bindparam("which")
_UNCOUNT = (
    update(attempts).where(_KEY, attempts.c.guesses > 0).values(guesses=attempts.c.guesses - 1)
)
_RESET = delete(attempts).where(_KEY)


@cache
def _count(dialect_name: str) -> Any:
    """Insert or count on, in one statement; a window that has ended begins anew.

    One that ends later than a fresh one would, as the clock had run ahead, ends with it.
    Only the dialect in use is imported: the other's drivers cost 3 MB and 80 ms.
    """
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    fresh_end = bindparam("fresh_end", type_=BigInteger)
    over = attempts.c.window_end <= bindparam("now")
    ahead = attempts.c.window_end > fresh_end
    row = {"key": bindparam("which"), "guesses": 1, "window_end": fresh_end}
    anew = {
        "guesses": case((over, 1), else_=attempts.c.guesses + 1),
        "window_end": case((over | ahead, fresh_end), else_=attempts.c.window_end),
    }
    return (
        dialect.insert(attempts)
        .values(row)
        .on_conflict_do_update(index_elements=["key"], set_=anew)
        .returning(attempts.c.guesses, attempts.c.window_end)
    )


class SqlAttempts:
    """An :class:`~antiphon_server.auth.ports.AttemptStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, key: str, now: int, window: int) -> tuple[int, int]:
        values = {"which": key, "now": now, "fresh_end": now + window}

        def work(connection: Connection) -> tuple[int, int]:
            row = connection.execute(_count(connection.dialect.name), values).one()
            return row.guesses, row.window_end

        return await self._database.write(work)

    async def uncount(self, key: str) -> None:
        await self._database.write(lambda connection: connection.execute(_UNCOUNT, {"which": key}))

    async def reset(self, key: str) -> None:
        await self._database.write(lambda connection: connection.execute(_RESET, {"which": key}))
