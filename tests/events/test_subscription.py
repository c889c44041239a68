"""A stream gets exactly what its watches cover, whatever happens beside it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace

import pytest

from antiphon.events.v1.event_service_pb2 import SubscribeResponse
from antiphon_server.events import hub as hub_module
from antiphon_server.events import subscription as subscription_module
from antiphon_server.events.adapters.memory import MemoryLogStore
from antiphon_server.events.encoding import FrameEncoder
from antiphon_server.events.frames import Batch, Close, Created, Draining, Ended, Frame, Progress
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import (
    AccessChange,
    Append,
    Appended,
    Epoch,
    Head,
    NewEvent,
    Offset,
    Page,
    Record,
    Scope,
)
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.principal import Principal, SessionId, UserId

SCOPE = Scope("conversations/conv_00000001")
OTHER = Scope("conversations/conv_00000002")
ANNA = Principal("user", UserId("user_anna"), SessionId("sess_1"))


class Gate:
    """Lets everybody read but those that are locked out of a scope."""

    def __init__(self) -> None:
        self.locked: set[Scope] = set()

    async def check_read(self, principal: Principal, scope: Scope) -> None:
        if scope in self.locked:
            raise not_found(scope)

    async def verify(self, access_token: str) -> Principal:
        if access_token != "good":
            raise DomainError(Reason.TOKEN_INVALID)
        return ANNA


@pytest.fixture
def store() -> MemoryLogStore:
    return MemoryLogStore()


@pytest.fixture
async def log(store: MemoryLogStore) -> AsyncIterator[EventLog]:
    """A log in memory, with its writer running."""
    log = EventLog(store)
    running = asyncio.create_task(log.run())
    yield log
    log.close()
    await running


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def subscription(log: EventLog, gate: Gate) -> Subscription:
    return Subscription(log, gate, ANNA, Pacing())


def events(count: int = 1, kind: int = 10) -> list[NewEvent]:
    return [NewEvent(kind, "", b"\x2a\x01x") for _ in range(count)]


async def until(frames: AsyncIterator[Frame], enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Take frames until there are enough; 5 s at most."""
    taken: list[Frame] = []
    async with asyncio.timeout(5):
        while not enough(taken):
            taken.append(await anext(frames))
    return taken


def offsets(frames: list[Frame]) -> list[int]:
    return [record.last for it in frames if isinstance(it, Batch) for record in it.records]


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
    store: MemoryLogStore, log: EventLog, subscription: Subscription
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
    ended = (await until(later.frames(), bool))[0]
    assert isinstance(ended, Ended)
    assert ended.reason is Close.HISTORY_LOST
    assert ended.error is not None
    assert ended.error.metadata["earliest_offset"] == "8"
    await later.create(WatchRequest("w", SCOPE, cursor=ended.error.metadata["earliest_cursor"]))
    assert offsets(await until(later.frames(), lambda it: len(offsets(it)) == 3)) == [8, 9, 10]


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
    ended = (await until(frames, bool))[0]
    assert isinstance(ended, Ended)
    assert (ended.watch_id, ended.reason) == ("a", Close.ACCESS_REMOVED)
    await log.append(SCOPE, events())
    await log.append(OTHER, events())
    batch = (await until(frames, bool))[0]
    assert isinstance(batch, Batch)
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
    assert isinstance((await until(frames, bool))[0], Progress)
    await subscription.refresh("bad")
    ended = (await until(frames, bool))[0]
    assert isinstance(ended, Ended)
    assert ended.reason is Close.SESSION_ENDED


async def test_kinds_are_filtered_and_the_cursor_moves_on(
    log: EventLog, subscription: Subscription
) -> None:
    """Unwanted events are passed over; progress says how far."""
    await subscription.create(WatchRequest("w", SCOPE, kinds=frozenset({11})))
    await log.append(SCOPE, [*events(1, kind=10), *events(1, kind=11), *events(1, kind=12)])
    frames = subscription.frames()
    assert offsets(await until(frames, lambda it: len(offsets(it)) == 1)) == [2]
    subscription.request_progress()
    progress = (await until(frames, bool))[0]
    assert isinstance(progress, Progress)
    assert progress.positions[0][2].offset == 3


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


class BrokenOnce(MemoryLogStore):
    """Fails its first append in a way that nobody expects."""

    broken = True

    async def append(self, batch: Sequence[Append]) -> list[Appended | DomainError]:
        if self.broken:
            self.broken = False
            raise RuntimeError("no such table")
        return await super().append(batch)


async def test_a_defect_of_the_store_does_not_stop_the_log() -> None:
    """What could not be appended is refused; the next is committed."""
    log = EventLog(BrokenOnce())
    running = asyncio.create_task(log.run())
    with pytest.raises(DomainError) as caught:
        await log.append(SCOPE, events())
    assert caught.value.reason is Reason.STORE_UNAVAILABLE
    assert (await log.append(SCOPE, events())).first == 1
    log.close()
    await running


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


class Slow(MemoryLogStore):
    """Lets the test do something while the log is asked for its head or for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()

    async def head(self, scope: Scope) -> Head:
        self.asked.set()
        await self.go_on.wait()
        return await super().head(scope)


async def test_access_taken_away_while_a_watch_opens_is_noticed(gate: Gate) -> None:
    """There is no moment between the check and the watch in which a removal is missed."""
    store = Slow()
    subscription = Subscription(EventLog(store), gate, ANNA, Pacing())
    creating = asyncio.create_task(subscription.create(WatchRequest("w", SCOPE)))
    await store.asked.wait()
    gate.locked.add(SCOPE)
    subscription.access_changed(AccessChange(user_id=ANNA.user_id))
    store.go_on.set()
    await creating
    ended = (await until(subscription.frames(), bool))[0]
    assert isinstance(ended, Ended)
    assert ended.reason is Close.REJECTED


async def test_watches_that_open_at_once_are_counted_and_closed() -> None:
    """One of many of the same name wins; one that opens after the end leaves nothing behind."""
    store = Slow()
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


class Failing(MemoryLogStore):
    """Can't be read."""

    async def read(
        self, scope: Scope, after: Offset, max_events: int, max_bytes: int, kinds: Collection[int]
    ) -> Page:
        raise DomainError(Reason.STORE_UNAVAILABLE)


async def test_a_store_that_is_away_ends_the_stream_so_that_it_can_be_resumed() -> None:
    """It is not told as lost history, upon which a client would throw its state away."""
    store = Failing()
    await store.append([Append(SCOPE, events(3), 1)])
    subscription = Subscription(EventLog(store), Gate(), ANNA, Pacing())
    await subscription.create(WatchRequest("w", SCOPE, from_latest=False))
    frames = subscription.frames()
    assert isinstance((await until(frames, bool))[0], Created)
    with pytest.raises(DomainError) as caught:
        await anext(frames)
    assert caught.value.reason is Reason.STORE_UNAVAILABLE


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


async def test_rings_are_bounded_together(log: EventLog) -> None:
    """Scopes that nobody follows hold little, however many there are."""
    budget = hub_module.RingBudget()
    hubs = [hub_module.Hub(Epoch("e"), Offset(0), budget) for _ in range(50)]
    for hub in hubs:
        for offset in range(1, 200):
            place = Offset(offset)
            hub.publish([Record(place, place, 10, b"x" * 1000)])
    assert budget.used < 50 * 3 * hub_module.IDLE_BYTES
    for hub in hubs:
        hub.clear()
    assert budget.used == 0


async def test_a_ring_that_nobody_follows_any_more_is_short(
    log: EventLog, subscription: Subscription
) -> None:
    """What was kept for those who followed goes with the last of them."""
    await subscription.create(WatchRequest("w", SCOPE))
    await log.append(SCOPE, events(256))
    followed = log.ring_bytes
    subscription.close()
    assert log.ring_bytes <= followed * 2 * hub_module.IDLE_EVENTS / 256


async def test_a_clock_that_is_set_back_delays_no_heartbeat(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is measured by a clock that nobody sets."""
    monkeypatch.setattr(subscription_module, "HEARTBEAT_S", (0.2, 0.2))
    await subscription.create(WatchRequest("w", SCOPE))
    frames = subscription.frames()
    assert isinstance((await until(frames, bool))[0], Created)
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() - 3600)
    assert isinstance((await until(frames, bool))[0], Progress)
