"""What filters said, in a SQL database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_

from antiphon.context.v1.filter_pb2 import Screening as ScreeningMessage
from antiphon.events.v1 import event_pb2, event_service_pb2
from antiphon_server.filters.adapters.tables import log_outbox, screenings
from antiphon_server.filters.encoding import screening_message, screening_of
from antiphon_server.filters.model import Screening
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.forgetting import forget_in_batches
from antiphon_server.runtime.storage.statements import PreparedInsert
from antiphon_server.runtime.trail.relay import TrailRelay

KEPT_US = 90 * 86_400 * 1_000_000
_ADD = PreparedInsert(screenings, " ON CONFLICT DO NOTHING")


class SqlScreenings:
    """See :class:`~antiphon_server.filters.ports.ScreeningStore`; the ``log`` is told of each."""

    def __init__(self, database: Database, log: TrailRelay) -> None:
        self._database, self._log = database, log

    async def add(self, screening: Screening) -> None:
        """See :meth:`ScreeningStore.add`."""
        row, told = _row(screening), _told(screening)

        def store(connection: Connection) -> None:
            is_new = _ADD.run(connection, [row])
            if is_new and screening.origin.conversation_id:
                connection.execute(insert(log_outbox), told)

        await self._database.write(store)
        await self._log.tell()

    async def list(
        self, workspace_id: str, author: str, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Screening]:
        """See :meth:`ScreeningStore.list`."""
        place = tuple_(screenings.c.created_us, screenings.c.screening_id)
        newest = screenings.c.created_us.desc(), screenings.c.screening_id.desc()
        query = select(screenings.c.body).order_by(*newest).limit(limit)
        if workspace_id:
            query = query.where(screenings.c.workspace_id == workspace_id)
        if author:
            query = query.where(screenings.c.author == author)
        if before is not None:
            query = query.where(place < before)
        rows = await self._database.read(lambda it: it.execute(query).scalars().all())
        return [screening_of(ScreeningMessage.FromString(body)) for body in rows]

    async def since(self, since_us: int, limit: int) -> Sequence[Screening]:
        """Those of everybody from then on, the newest first."""
        newest = screenings.c.created_us.desc(), screenings.c.screening_id.desc()
        query = select(screenings.c.body).order_by(*newest).limit(limit)
        query = query.where(screenings.c.created_us >= since_us)
        rows = await self._database.read(lambda it: it.execute(query).scalars().all())
        return [screening_of(ScreeningMessage.FromString(body)) for body in rows]

    async def forget(self, now_us: int) -> None:
        """Remove those that are older than 90 days."""
        old = screenings.c.created_us < now_us - KEPT_US
        await forget_in_batches(self._database, screenings, old)


def _row(it: Screening) -> dict[str, Any]:
    return {
        "screening_id": it.screening_id,
        "workspace_id": it.origin.workspace_id,
        "author": it.origin.author,
        "action": it.action,
        "body": screening_message(it).SerializeToString(deterministic=True),
        "created_us": it.created_us,
    }


def _told(it: Screening) -> dict[str, Any]:
    event = event_pb2.Event(
        actor=it.origin.author,
        turn_id=it.origin.turn_id,
        content_screened=event_pb2.ContentScreened(screening=screening_message(it)),
    )
    request = event_service_pb2.AppendRequest(
        scope=f"conversations/{it.origin.conversation_id}",
        events=[event],
        request_id=it.screening_id,
    )
    return {"entry_id": it.screening_id, "body": request.SerializeToString()}
