"""Servers whose clocks differ would take each other's work: they say so, or don't begin."""

import asyncio
import time

import pytest

from antiphon_server.runtime.nodes import ClocksDiffer, ClockWatch
from antiphon_server.runtime.storage.database import Database

LEASE_S = 15.0


@pytest.mark.parametrize(
    ("by", "says"), [(12.0, r"1\d\.\d s ahead of"), (-12.0, r"1\d\.\d s behind")]
)
async def test_a_clock_that_is_wrong_is_refused(database: Database, by: float, says: str) -> None:
    """Ahead or behind by nearly a lease."""
    with pytest.raises(ClocksDiffer, match=says):
        await ClockWatch(database, LEASE_S, lambda: time.time() + by).check()


@pytest.mark.parametrize("by", [0.0, 2.0, -2.0])
async def test_a_clock_may_differ_a_little(database: Database, by: float) -> None:
    """As much as NTP leaves, and more."""
    await ClockWatch(database, LEASE_S, lambda: time.time() + by).check()


async def test_a_clock_that_is_set_wrong_is_noticed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """While the server runs."""
    watch = ClockWatch(database, LEASE_S, lambda: time.time() - 60.0, every_s=0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await watch.run()
    assert "s behind the database's" in caplog.text
