"""A stream's share of the event loop."""

import time

from antiphon_server.runtime.concurrency.loop_share import BURST_S, SHARE, LoopShare


async def test_more_than_the_share_is_waited_for() -> None:
    """As long as it would have been the share of; a short burst is not."""
    now = 0.0
    share = LoopShare(lambda: now)
    for work_s, waits in ((BURST_S, False), (BURST_S, True)):
        began, now = now, now + work_s
        waited = time.monotonic()
        await share.worked(began)
        waited = time.monotonic() - waited
        assert waited >= 2 * BURST_S / SHARE if waits else waited < BURST_S / SHARE


async def test_what_was_idle_before_counts() -> None:
    """Work that is spread over time is never waited for."""
    now = 0.0
    share = LoopShare(lambda: now)
    waited = time.monotonic()
    for _ in range(100):
        now += BURST_S / SHARE  # it waits for more
        began, now = now, now + BURST_S / 2
        await share.worked(began)
    assert time.monotonic() - waited < BURST_S / SHARE
