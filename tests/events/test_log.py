"""What waits for the log is bounded, and what can't be stored stops nothing."""

import asyncio
from collections.abc import Sequence

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Append, Appended, NewEvent
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S, until
from tests.events.world import SCOPE, events, running

EVENTS = [NewEvent(10, "", bytes(60))]


async def test_what_a_caller_left_behind_counts_until_it_is_committed(store: SqlLogStore) -> None:
    """An append whose caller was cancelled is held as long as any other."""
    log = EventLog(store, most_bytes=100)
    gone = asyncio.create_task(log.append(SCOPE, EVENTS))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    with Refused(Reason.OVERLOADED):
        await asyncio.wait_for(log.append(SCOPE, EVENTS), SOON_S)
    async with running(log):
        await until(lambda: bool(log.ring_bytes), SOON_S)
        assert (await log.append(SCOPE, EVENTS)).first == 2


class BrokenOnce(SqlLogStore):
    """Fails its first append in a way that nobody expects."""

    broken = True

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        if self.broken:
            self.broken = False
            raise RuntimeError("no such table")
        return await super().append(batch)


async def test_a_defect_of_the_store_does_not_stop_the_log(database: Database) -> None:
    """What could not be appended is refused; the next is committed."""
    async with running(EventLog(BrokenOnce(database))) as log:
        with Refused(Reason.STORE_UNAVAILABLE):
            await log.append(SCOPE, events())
        assert (await log.append(SCOPE, events())).first == 1
