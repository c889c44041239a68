"""A log in memory, and a stream of it, for each test."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_server.events.log import EventLog
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from tests.events.world import ANNA, Gate
from tests.fakes.memory.events.store import MemoryLogStore


@pytest.fixture
def store() -> MemoryLogStore:
    """What the log writes to."""
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
    """Who may read."""
    return Gate()


@pytest.fixture
def subscription(log: EventLog, gate: Gate) -> Subscription:
    """A stream of Anna's without a watch."""
    return Subscription(log, gate, ANNA, Pacing())
