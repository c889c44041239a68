"""Places in a database."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, select

from antiphon_server.auth.adapters.audit_tables import places
from antiphon_server.runtime.storage.database import Database

_OF = places.c.subject == bindparam("whose")
_HERE = places.c.address == bindparam("here")
_SEEN = select(places.c.address).where(_OF).order_by(places.c.last_time.desc())
_SINCE = select(places.c.address).where(_OF, _HERE, places.c.last_time > bindparam("since"))
_FORGET = delete(places).where(_OF, _HERE)


@cache
def _upsert(dialect_name: str) -> Any:
    """Of two who come from one new place at once both have been there."""
    dialect = import_module(f"sqlalchemy.dialects.{dialect_name}")
    now = bindparam("now", type_=BigInteger)
    return (
        dialect.insert(places)
        .values({"subject": bindparam("whose"), "address": bindparam("here"), "last_time": now})
        .on_conflict_do_update(index_elements=["subject", "address"], set_={"last_time": now})
    )


class SqlPlaces:
    """A :class:`~antiphon_server.auth.ports.places.PlaceStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, subject: str, address: str, now: int, most: int) -> bool:
        return await self._database.write(
            lambda connection: record_place(connection, subject, address, now, most)
        )

    async def knows(self, subject: str, address: str, since: int) -> bool:
        place = {"whose": subject, "here": address, "since": since}
        return await self._database.read(
            lambda connection: connection.execute(_SINCE, place).first() is not None
        )


def record_place(connection: Connection, subject: str, address: str, now: int, most: int) -> bool:
    """See :meth:`PlaceStore.record`."""
    seen = connection.execute(_SEEN, {"whose": subject}).scalars().all()
    here = {"whose": subject, "here": address, "now": now}
    connection.execute(_upsert(connection.dialect.name), here)
    if address in seen:
        return False
    if len(seen) >= most:
        forgotten = [{"whose": subject, "here": old} for old in seen[most - 1 :]]
        connection.execute(_FORGET, forgotten)
    return bool(seen)
