"""A log, and a stream of it, for each test."""

from collections.abc import AsyncIterator

import pytest

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata
from antiphon_server.events.log import EventLog
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.subscription import Subscription
from antiphon_server.runtime.storage.database import Database
from tests.events.world import ANNA, Gate, running
from tests.fakes.databases import opened_sqlite


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """Where logs are kept."""
    async with opened_sqlite(metadata) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> SqlLogStore:
    """What the log writes to."""
    return SqlLogStore(database)


@pytest.fixture
async def log(store: SqlLogStore) -> AsyncIterator[EventLog]:
    """A log, with its writer running."""
    async with running(EventLog(store)) as log:
        yield log


@pytest.fixture
def gate() -> Gate:
    """Who may read."""
    return Gate()


@pytest.fixture
def subscription(log: EventLog, gate: Gate) -> Subscription:
    """A stream of Anna's without a watch."""
    return Subscription(log, gate, ANNA, Pacing())
