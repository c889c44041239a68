"""Places in a database."""

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from antiphon_server.auth.adapters.audit_tables import places
from antiphon_server.runtime.database import Database

_OF = places.c.subject == bindparam("whose")
_HERE = places.c.address == bindparam("here")
_SEEN = select(places.c.address).where(_OF).order_by(places.c.last_time.desc())
_ADD = insert(places)
_AGAIN = update(places).where(_OF, _HERE).values(last_time=bindparam("now"))
_SINCE = select(places.c.address).where(_OF, _HERE, places.c.last_time > bindparam("since"))
_FORGET = delete(places).where(_OF, _HERE)


class SqlPlaces:
    """A :class:`~antiphon_server.auth.ports.places.PlaceStore` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, subject: str, address: str, now: int, most: int) -> bool:
        """See :meth:`PlaceStore.note`."""

        def work(connection: Connection) -> bool:
            seen = connection.execute(_SEEN, {"whose": subject}).scalars().all()
            if address in seen:
                connection.execute(_AGAIN, {"whose": subject, "here": address, "now": now})
                return False
            connection.execute(_ADD, {"subject": subject, "address": address, "last_time": now})
            if len(seen) >= most:
                forgotten = [{"whose": subject, "here": old} for old in seen[most - 1 :]]
                connection.execute(_FORGET, forgotten)
            return bool(seen)

        return await self._database.write(work)

    async def knows(self, subject: str, address: str, since: int) -> bool:
        """See :meth:`PlaceStore.knows`."""
        place = {"whose": subject, "here": address, "since": since}
        return await self._database.read(
            lambda connection: connection.execute(_SINCE, place).first() is not None
        )
