"""A stream gets exactly what its watches cover, whatever happens beside it."""

import asyncio
import time

import pytest

from antiphon.events.v1.event_service_pb2 import SubscribeResponse
from antiphon_server.events import hub as hub_module
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.encoding import FrameEncoder
from antiphon_server.events.frames import Batch, Close, Created, Ended, Progress
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Offset
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.errors import Reason
from tests.events.world import ANNA, OTHER, SCOPE, Gate, events, next_of, offsets, until


async def test_a_watch_from_the_beginning_gets_all_in_order(
    log: EventLog, subscription: Subscription
) -> None:
    """What was there before and what comes later, each once."""
    await log.append(SCOPE, events(3))
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False))
    frames = subscription.frames()
    before = await until(frames, lambda it: len(offsets(it)) == 3)
    await log.append(SCOPE, events(2))
    after = await until(frames, lambda it: len(offsets(it)) == 2)
    assert isinstance(before[0], Created)
    assert offsets(before) + offsets(after) == [1, 2, 3, 4, 5]


async def test_a_watch_resumes_right_after_its_cursor(
    log: EventLog, subscription: Subscription
) -> None:
    """A cursor from a batch continues behind it, also on another stream."""
    await log.append(SCOPE, events(5))
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False, max_batch_events=2))
    first = (await until(subscription.frames(), lambda it: len(offsets(it)) == 2))[-1]
    assert isinstance(first, Batch)
    cursor = first.cursor.encode(SCOPE)
    again = Subscription(log, Gate(), ANNA, Pacing())
    await again.create(WatchRequest("w", SCOPE, cursor=cursor))
    rest = await until(again.frames(), lambda it: len(offsets(it)) == 3)
    assert offsets(rest) == [3, 4, 5]


async def test_falling_off_the_ring_reads_the_store(
    log: EventLog, subscription: Subscription
) -> None:
    """A reader slower than the ring still gets every event once."""
    await subscription.create(WatchRequest("w", SCOPE))
    total = 5 * hub_module.RING_EVENTS
    for _ in range(total // 256):
        await log.append(SCOPE, events(256))
    taken = await until(subscription.frames(), lambda it: len(offsets(it)) >= total)
    assert offsets(taken) == list(range(1, total + 1))


async def test_a_bad_watch_does_not_end_the_stream(
    log: EventLog, subscription: Subscription, gate: Gate
) -> None:
    """Each watch is refused on its own, with its reason."""
    gate.locked.add(OTHER)
    await subscription.create(WatchRequest("secret", OTHER))
    await subscription.create(WatchRequest("bad", SCOPE, cursor="nonsense"))
    await subscription.create(WatchRequest("w", SCOPE))
    await subscription.create(WatchRequest("w", SCOPE))
    await log.append(SCOPE, events())
    frames = await until(subscription.frames(), lambda it: len(offsets(it)) == 1)
    refused = [
        (it.watch_id, it.reason, it.error.reason)
        for it in frames
        if isinstance(it, Ended) and it.error
    ]
    assert refused == [
        ("secret", Close.REJECTED, Reason.NOT_FOUND),
        ("bad", Close.REJECTED, Reason.CURSOR_INVALID),
        ("w", Close.REJECTED, Reason.WATCH_EXISTS),
    ]


async def test_a_trimmed_position_is_told(
    store: SqlLogStore, log: EventLog, subscription: Subscription
) -> None:
    """Never a silent skip: the earliest position is named, and works."""
    await log.append(SCOPE, events(10))
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False, max_batch_events=1))
    first = (await until(subscription.frames(), lambda it: len(offsets(it)) == 1))[-1]
    assert isinstance(first, Batch)
    await log.trim(SCOPE, Offset(8))
    fresh = EventLog(store)  # another node, whose ring is empty
    later = Subscription(fresh, Gate(), ANNA, Pacing())
    await later.create(WatchRequest("w", SCOPE, cursor=first.cursor.encode(SCOPE)))
    ended = await next_of(later.frames(), Ended)
    assert ended.reason is Close.HISTORY_LOST
    assert ended.error is not None
    assert ended.error.metadata["earliest_offset"] == "8"
    await later.create(WatchRequest("w", SCOPE, cursor=ended.error.metadata["earliest_cursor"]))
    assert offsets(await until(later.frames(), lambda it: len(offsets(it)) == 3)) == [8, 9, 10]


async def test_kinds_are_filtered_and_the_cursor_moves_on(
    log: EventLog, subscription: Subscription
) -> None:
    """Unwanted events are passed over; progress says how far."""
    await subscription.create(WatchRequest("w", SCOPE, kinds=frozenset({11})))
    await log.append(SCOPE, [*events(1, kind=10), *events(1, kind=11), *events(1, kind=12)])
    frames = subscription.frames()
    assert offsets(await until(frames, lambda it: len(offsets(it)) == 1)) == [2]
    subscription.request_progress()
    progress = await next_of(frames, Progress)
    assert progress.positions[0][2].offset == 3


async def test_a_filtered_watch_takes_nothing_from_another_one(log: EventLog) -> None:
    """Two streams with the same watch id and position, one filtered: each gets its own."""
    encoder = FrameEncoder()
    filtered = Subscription(log, Gate(), ANNA, Pacing())
    await filtered.create(WatchRequest("w", SCOPE, kinds=frozenset({16})))
    whole = Subscription(log, Gate(), ANNA, Pacing())
    await whole.create(WatchRequest("w", SCOPE))
    await log.append(SCOPE, [*events(3, kind=16), *events(1, kind=15)])
    for subscription, expected in ((filtered, [1, 2, 3]), (whole, [1, 2, 3, 4])):
        frame = (await until(subscription.frames(), lambda it: bool(offsets(it))))[-1]
        sent = SubscribeResponse.FromString(encoder.encode(frame))
        assert [event.last_offset for event in sent.batch.events] == expected


async def test_a_cancelled_watch_stays_ended(log: EventLog, subscription: Subscription) -> None:
    """Also when it is cancelled while its next batch is being read."""
    for _ in range(3 * hub_module.RING_EVENTS // 256):
        await log.append(SCOPE, events(256))
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False, max_batch_events=10))
    frames = subscription.frames()
    await until(frames, lambda it: len(it) == 3)
    reading = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    subscription.cancel("w")
    subscription.request_progress()
    taken = [await reading]
    while not isinstance(taken[-1], Progress):
        taken.append(await anext(frames))
    at = next(n for n, frame in enumerate(taken) if isinstance(frame, Ended))
    assert not any(isinstance(frame, Batch) for frame in taken[at:])


async def test_a_clock_that_is_set_back_delays_no_heartbeat(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is measured by a clock that nobody sets."""
    subscription = Subscription(log, Gate(), ANNA, Pacing(), heartbeat_s=(0.2, 0.2))
    await subscription.create(WatchRequest("w", SCOPE))
    frames = subscription.frames()
    await next_of(frames, Created)
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 3600)
    await next_of(frames, Progress)
