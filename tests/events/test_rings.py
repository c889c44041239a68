"""What is kept of the newest events is bounded."""

from antiphon_server.events import hub as hub_module
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Epoch, Offset, Record
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
