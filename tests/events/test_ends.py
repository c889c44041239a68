"""A stream or a watch ends when it must, and says why."""

import time
from collections.abc import Collection
from dataclasses import replace

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.frames import Batch, Close, Created, Draining, Ended, Progress
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange, Append, Offset, Page, Scope
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.e2e.refusals import Refused
from tests.events.world import ANNA, OTHER, SCOPE, Gate, events, next_of, offsets, until


async def test_taking_access_away_ends_the_watch(
    log: EventLog, subscription: Subscription, gate: Gate
) -> None:
    """The watch that may not be read any more ends; the other goes on."""
    await subscription.create(WatchRequest("a", SCOPE))
    await subscription.create(WatchRequest("b", OTHER))
    frames = subscription.frames()
    await until(frames, lambda it: len(it) == 2)
    gate.locked.add(SCOPE)
    subscription.access_changed(AccessChange(user_id=ANNA.user_id))
    ended = await next_of(frames, Ended)
    assert (ended.watch_id, ended.reason) == ("a", Close.ACCESS_REMOVED)
    await log.append(SCOPE, events())
    await log.append(OTHER, events())
    batch = await next_of(frames, Batch)
    assert batch.watch_id == "b"


async def test_an_ended_session_ends_the_stream(subscription: Subscription) -> None:
    """Revocation is final."""
    await subscription.create(WatchRequest("a", SCOPE))
    subscription.access_changed(AccessChange(session_id=ANNA.session_id))
    frames = [frame async for frame in subscription.frames()]
    assert isinstance(frames[-1], Ended)
    assert (frames[-1].watch_id, frames[-1].reason) == ("", Close.SESSION_ENDED)


async def test_draining_is_said_before_the_end(subscription: Subscription) -> None:
    """A client learns when to come back, in band."""
    subscription.drain(2.0)
    frames = [frame async for frame in subscription.frames()]
    assert frames[0] == Draining(2.0)
    assert isinstance(frames[1], Ended)
    assert frames[1].reason is Close.DRAINING


async def test_a_bad_refresh_ends_the_stream_and_a_good_one_does_not(
    subscription: Subscription,
) -> None:
    """The token is checked in band."""
    await subscription.refresh("good")
    subscription.request_progress()
    frames = subscription.frames()
    await next_of(frames, Progress)
    await subscription.refresh("bad")
    assert (await next_of(frames, Ended)).reason is Close.SESSION_ENDED


async def test_a_token_that_expires_ends_a_busy_stream_too(log: EventLog) -> None:
    """The expiry is looked at between frames, not only when nothing happens."""
    expired = replace(ANNA, expires_at=time.time() - 1)
    subscription = Subscription(log, Gate(), expired, Pacing())
    await subscription.create(WatchRequest("w", SCOPE))
    await log.append(SCOPE, events())
    frames = [frame async for frame in subscription.frames()]
    assert isinstance(frames[-1], Ended)
    assert frames[-1].reason is Close.SESSION_ENDED
    assert offsets(frames) == []


async def test_a_stream_that_can_get_no_more_watches_ends_with_its_last(log: EventLog) -> None:
    """A Follow without a name says why its watch failed, and is over."""
    gate = Gate()
    gate.locked.add(SCOPE)
    subscription = Subscription(log, gate, ANNA, Pacing(), ends_when_empty=True)
    await subscription.create(WatchRequest("w", SCOPE))
    frames = [frame async for frame in subscription.frames()]
    assert [type(frame) for frame in frames] == [Ended]


class Failing(SqlLogStore):
    """Can't be read."""

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        raise DomainError(Reason.STORE_UNAVAILABLE)


async def test_a_store_that_is_away_ends_the_stream_so_that_it_can_be_resumed(
    database: Database,
) -> None:
    """It is not told as lost history, upon which a client would throw its state away."""
    store = Failing(database)
    await store.append([Append(SCOPE, events(3), 1)])
    subscription = Subscription(EventLog(store), Gate(), ANNA, Pacing())
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False))
    frames = subscription.frames()
    await next_of(frames, Created)
    with Refused(Reason.STORE_UNAVAILABLE):
        await anext(frames)
