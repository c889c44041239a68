"""Every store keeps flags: one that is open is added to, what was cleared is not raised again."""

from dataclasses import dataclass

import pytest

from antiphon_server.anomalies.adapters.sql_flags import FORGIVEN_US, SqlFlags
from antiphon_server.anomalies.adapters.tables import flags
from antiphon_server.anomalies.model import (
    Detector,
    Effect,
    Flag,
    Found,
    Key,
    Raised,
    Rate,
    Sign,
    Signal,
)
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, flags.metadata)
HOME, ANN = "ws_00000001", "users/user_00000ann"
KEY = Key(HOME, "floods", ANN)
FLOODS = Detector("floods", Rate(), effect=Effect.THROTTLE)


@dataclass
class World:
    """A store, and the time in it."""

    database: Database
    now_us: int = 1_000_000_000

    def __post_init__(self) -> None:
        self.store = SqlFlags(self.database, lambda: self.now_us)

    async def raised(self, at_us: int) -> list[Flag]:
        """What comes of something that a server found then."""
        signal = Signal(Sign.SAID, at_us / 1e6, ANN, workspace=HOME)
        found = Raised(KEY, FLOODS, signal, Found(1.0, {"messages": 11}), 1, at_us, at_us)
        return list(await self.store.raise_all([found]))


@pytest.fixture
async def world(database: Database) -> World:
    set_principal(Principal("user", UserId("user_0000boss"), SessionId("sess_1")))
    return World(database)


async def test_an_open_flag_is_added_to(world: World) -> None:
    """It is one, however often it is raised, and bites."""
    [first] = await world.raised(world.now_us)
    [more] = await world.raised(world.now_us + 5)
    assert (more.flag_id, more.count, more.last_us) == (first.flag_id, 2, world.now_us + 5)
    assert [it.key for it in await world.store.throttles()] == [KEY]


async def test_what_was_cleared_is_forgiven(world: World) -> None:
    """A server that has not heard of it yet raises it no more; what comes later is another one."""
    [flag] = await world.raised(world.now_us)
    cleared = await world.store.clear(HOME, flag.flag_id, "a test")
    assert cleared is not None
    assert cleared.cleared_us == world.now_us
    assert await world.raised(world.now_us + FORGIVEN_US) == []
    assert await world.store.throttles() == []
    [anew] = await world.raised(world.now_us + FORGIVEN_US + 1)
    assert anew.flag_id != flag.flag_id
