"""What is kept of the newest events is bounded."""

from antiphon_server.events import hub as hub_module
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Epoch, NewEvent, Offset, Record
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from tests.events.world import SCOPE, events


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


async def test_folding_drops_what_it_replaced_and_no_more(log: EventLog) -> None:
    """What came behind it is still there, for those who are a little behind."""
    delta, other = NewEvent(16, "t", b"\x2a\x01x"), NewEvent(16, "u", b"\x2a\x01x")
    hub = await log.hub(SCOPE)
    await log.append(SCOPE, [delta, other, delta, *events(4)])
    assert await log.fold(SCOPE, "t") == 2
    assert [hub.covers(Offset(at)) for at in (3, 4, 5)] == [False, True, True]
    found = hub.after(Offset(4), 10, 1 << 20)
    assert found is not None
    assert [it.last for it in found[0]] == [5, 6, 7]
    page = await log.read(SCOPE, Offset(0), 10)
    assert [(it.first, it.last) for it in page.records] == [(1, 2), (3, 4), (5, 5), (6, 6), (7, 7)]


async def test_folding_what_left_the_ring_long_ago_hides_nothing(log: EventLog) -> None:
    """A ring without events still begins where it did: what follows is read from the store."""
    hub = await log.hub(SCOPE)
    await log.append(SCOPE, [NewEvent(16, "t", b"\x2a\x01x"), *events(4)])
    hub.clear()
    assert await log.fold(SCOPE, "t") == 1
    page = await log.read(SCOPE, Offset(2), 10)
    assert [it.last for it in page.records] == [3, 4, 5]
