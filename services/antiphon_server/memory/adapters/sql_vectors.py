"""Vectors of messages and memories in a SQL database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection, bindparam, delete, func, select, tuple_

from antiphon_server.memory.adapters.tables import scopes, vector_places, vectors
from antiphon_server.memory.adapters.vector_rows import keep_vectors, take_vectors, use_place
from antiphon_server.memory.remembered import scope_of_place
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedIn

MOST = 500_000
"""So many are kept: some 0.5 GB."""
BATCH = 500
FORGOTTEN_US = 3 * 24 * 3600 * 1_000_000
"""So long no server is just making vectors of what was forgotten."""


def _those(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"document_id_{n}") for n in places]
    return select(vectors.c.document_id, vectors.c.model, vectors.c.digest, vectors.c.packed).where(
        vectors.c.place == bindparam("place_0"), vectors.c.document_id.in_(asked)
    )


_THOSE = PreparedIn(_those)
_KEY = tuple_(vectors.c.place, vectors.c.document_id)
_ROWS = select(vectors.c.place, vectors.c.document_id).limit(BATCH)
_DROP_OF = delete(vectors).where(
    _KEY.in_(_ROWS.where(vectors.c.place == bindparam("b_place"), vectors.c.forget_us.is_(None)))
)
_DROP_FORGOTTEN = delete(vectors).where(
    _KEY.in_(_ROWS.where(vectors.c.forget_us < bindparam("b_before")))
)
_OLDEST = select(vector_places).order_by(vector_places.c.use_us).limit(1)
_DROP_PLACE = delete(vector_places).where(
    vector_places.c.place == bindparam("b_place"), vector_places.c.use_us == bindparam("b_use")
)
_HOLD = select(scopes.c.revision).where(scopes.c.scope == bindparam("b_scope")).with_for_update()
# What is left of what was forgotten makes no room. The difference, since both counts have an index.
_ALL = select(func.count()).select_from(vectors).scalar_subquery()
_FORGOTTEN = select(func.count()).where(vectors.c.forget_us.is_not(None)).scalar_subquery()
_COUNT = select(_ALL - _FORGOTTEN)


class SqlVectors:
    """A :class:`~antiphon_server.memory.ports.KeptVectors` in a SQL database."""

    def __init__(self, database: Database, most: int = MOST) -> None:
        self._database = database
        self._most = most

    async def find(
        self, place: str, model: str, digests: Mapping[str, bytes]
    ) -> Mapping[str, bytes]:
        """See :meth:`KeptVectors.find`."""
        asked = [{"document_id": it, "place": place} for it in digests]
        rows = await self._database.read(lambda it: _THOSE.rows(it, asked))
        return {
            document_id: bytes(packed)
            for document_id, by, digest, packed in rows
            if by == model and bytes(digest) == digests[document_id]
        }

    async def keep(
        self, place: str, model: str, made: Sequence[tuple[str, bytes, bytes]], now_us: int
    ) -> None:
        """See :meth:`KeptVectors.keep`."""

        def work(connection: Connection) -> None:
            if scope := scope_of_place(place):  # who changes its memories writes rows in any order
                connection.execute(_HOLD, {"b_scope": scope})
            use_place(connection, place, now_us)
            keep_vectors(connection, place, model, made)

        await self._database.write(work)

    async def forget(self, place: str, ids: Collection[str], now_us: int) -> int:
        """See :meth:`KeptVectors.forget`."""
        return await self._database.write(lambda it: take_vectors(it, place, ids, now_us))

    async def scrub(self) -> None:
        """See :meth:`KeptVectors.scrub`."""
        await self._database.scrub((vectors.name,))

    async def used(self, place: str, now_us: int) -> None:
        """See :meth:`KeptVectors.used`."""
        await self._database.write(lambda it: use_place(it, place, now_us))

    async def make_room(self, now_us: int) -> None:
        """See :meth:`KeptVectors.make_room`."""
        while await self._dropped(_DROP_FORGOTTEN, b_before=now_us - FORGOTTEN_US) == BATCH:
            pass
        count = await self._database.read(lambda it: it.execute(_COUNT).scalar_one())
        while count > self._most:
            oldest = await self._database.read(lambda it: it.execute(_OLDEST).one_or_none())
            if oldest is None:
                return
            while gone := await self._dropped(_DROP_OF, b_place=oldest.place):
                count -= gone
            await self._dropped(_DROP_PLACE, b_place=oldest.place, b_use=oldest.use_us)

    async def _dropped(self, statement: ClauseElement, **at: object) -> int:
        def work(connection: Connection) -> int:
            return connection.execute(statement, at).rowcount  # type: ignore[call-overload, no-any-return]

        return await self._database.write(work)
