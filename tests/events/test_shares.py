"""A stream's batches wait for its user's share; what must be said at once does not."""

import asyncio

import pytest

from antiphon_server.events.frames import Batch, Ended, Progress
from antiphon_server.events.log import EventLog
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.limits import share_lines
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.limits.shares import Shares
from tests.e2e.refusals import Refused
from tests.e2e.until import SOON_S, until
from tests.events.world import ANNA, SCOPE, Gate, events, next_of, offsets

OTHER = "users/user_other000"


async def spent() -> Shares:
    """Anna has had all for a long time to come, and another is there."""
    shares = Shares(ShareSettings(user=0.001))
    await shares.call(OTHER, 0.001)
    await shares.call(ANNA.actor, 1.0)
    return shares


async def test_what_waits_for_its_share_is_joined(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost and nothing piles up: the batch has what came meanwhile."""
    share = (await spent()).of(ANNA.actor)
    subscription = Subscription(log, Gate(), ANNA, Pacing(), share=share)
    await subscription.create(WatchRequest("w", SCOPE))
    frames = subscription.frames()
    await anext(frames)
    await log.append(SCOPE, events(1))
    batch = asyncio.ensure_future(anext(frames))
    await until(lambda: share.waits)
    for _ in range(3):
        await log.append(SCOPE, events(1))
    assert share.waits
    assert not batch.done()
    monkeypatch.setattr(share_lines, "THERE_S", 0.0)  # the other has gone
    assert offsets([await batch]) == [1, 2, 3, 4]


async def test_an_end_waits_in_no_line(log: EventLog) -> None:
    """Nor does what the client asks for: its batch goes back into the line."""
    share = (await spent()).of(ANNA.actor)
    subscription = Subscription(log, Gate(), ANNA, Pacing(), share=share)
    await subscription.create(WatchRequest("w", SCOPE))
    frames = subscription.frames()
    await anext(frames)
    await log.append(SCOPE, events(1))
    async with asyncio.timeout(SOON_S):  # of which the batch would wait ninety
        said = asyncio.ensure_future(anext(frames))
        await until(lambda: share.waits)
        subscription.request_progress()
        assert isinstance(await said, Progress)
        said = asyncio.ensure_future(anext(frames))
        await until(lambda: share.waits)
        subscription.cancel_all()
        assert isinstance(await said, Ended)


async def test_who_waits_for_its_share_slows_nobody_down(log: EventLog) -> None:
    """Another's stream is not paced for the sake of a hundred that may not write now anyway."""
    shares, pacing, other = await spent(), Pacing(), object()
    ways = [shares.of(ANNA.actor) for _ in range(100)]
    streams = [Subscription(log, Gate(), ANNA, pacing, share=way) for way in ways]
    frames = [stream.frames() for stream in streams]
    for stream, its in zip(streams, frames, strict=True):
        await stream.create(WatchRequest("w", SCOPE))
        await anext(its)
    await log.append(SCOPE, events(1))
    waiting = [asyncio.ensure_future(next_of(its, Batch)) for its in frames]
    await until(lambda: all(way.waits for way in ways))
    pacing.wrote(other)
    assert pacing.delay(other) == 0.0
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_a_user_has_so_many_streams(log: EventLog) -> None:
    """Who weighs more has more; others are not concerned."""
    settings = ShareSettings(streams=1, weights={ANNA.user_id: 2})
    streams = Subscriptions(Gate(), Shares(settings))
    with streams.open(log, ANNA), streams.open(log, ANNA), Refused(Reason.LIMIT_EXCEEDED):
        streams.open(log, ANNA).__enter__()
    with streams.open(log, ANNA):
        pass
