"""What happens while a watch opens is not missed."""

import asyncio

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.frames import Close, Ended
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange, Head, Scope
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.storage.database import Database
from tests.events.world import ANNA, SCOPE, Gate, next_of


class Slow(SqlLogStore):
    """Lets the test do something while the log is asked for its head or for a page."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def head(self, scope: Scope) -> Head:
        self.asked.set()
        await self.go_on.wait()
        return await super().head(scope)


async def test_access_taken_away_while_a_watch_opens_is_noticed(
    database: Database, gate: Gate
) -> None:
    """There is no moment between the check and the watch in which a removal is missed."""
    store = Slow(database)
    subscription = Subscription(EventLog(store), gate, ANNA, Pacing())
    creating = asyncio.create_task(subscription.create(WatchRequest("w", SCOPE)))
    await store.asked.wait()
    gate.locked.add(SCOPE)
    subscription.access_changed(AccessChange(user_id=ANNA.user_id))
    store.go_on.set()
    await creating
    assert (await next_of(subscription.frames(), Ended)).reason is Close.REJECTED


async def test_watches_that_open_at_once_are_counted_and_closed(database: Database) -> None:
    """One of many of the same name wins; one that opens after the end leaves nothing behind."""
    store = Slow(database)
    log = EventLog(store)
    subscription = Subscription(log, Gate(), ANNA, Pacing())
    request = WatchRequest("w", SCOPE)
    creating = [asyncio.create_task(subscription.create(request)) for _ in range(600)]
    await store.asked.wait()
    store.go_on.set()
    await asyncio.gather(*creating)
    hub = await log.hub(SCOPE)
    assert len(hub.followers) == 1
    subscription.close()
    await subscription.create(WatchRequest("late", SCOPE))
    assert len(hub.followers) == 0
