"""Every store keeps flags: one that is open is added to, what was cleared is not raised again."""

import asyncio
from dataclasses import dataclass, replace

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
from tests.fakes.newer import VALUE

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

    async def raised(self, at_us: int, by: Detector = FLOODS) -> list[Flag]:
        """What comes of something that a server found then."""
        signal = Signal(Sign.SAID, at_us / 1e6, ANN, workspace=HOME)
        found = Raised(KEY, by, signal, Found(1.0, {"messages": 11}), 1, at_us, at_us)
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
    assert await world.store.open_by_effect() == {Effect.THROTTLE: 1}


async def test_servers_that_find_the_same_at_once_raise_one_flag(world: World) -> None:
    """Each adds its share."""
    others = [World(world.database) for _ in range(4)]
    await asyncio.gather(*(it.raised(world.now_us) for it in others))
    [flag] = await world.raised(world.now_us + 1)
    assert flag.count == 5


async def test_what_was_cleared_is_forgiven(world: World) -> None:
    """A server that has not heard of it yet raises it no more; what comes later is another one."""
    [flag] = await world.raised(world.now_us)
    cleared = await world.store.clear(HOME, flag.flag_id, "a test")
    assert cleared is not None
    assert cleared.cleared_us == world.now_us
    assert await world.raised(world.now_us + FORGIVEN_US) == []
    assert await world.store.throttles() == []
    assert await world.store.open_by_effect() == {}
    [anew] = await world.raised(world.now_us + FORGIVEN_US + 1)
    assert anew.flag_id != flag.flag_id


async def test_an_open_flag_does_what_its_detector_does_now(world: World) -> None:
    """Who goes on after an operator has chosen an effect meets it."""
    [seen] = await world.raised(world.now_us, replace(FLOODS, effect=Effect.NONE))
    assert (seen.effect, seen.effect_end_us, await world.store.throttles()) == (Effect.NONE, 0, [])
    [bites] = await world.raised(world.now_us + 5)
    assert (bites.flag_id, bites.effect, bites.throttle_per_minute) == (
        seen.flag_id,
        Effect.THROTTLE,
        FLOODS.throttle_per_minute,
    )
    assert [it.per_minute for it in await world.store.throttles()] == [FLOODS.throttle_per_minute]
    [looser] = await world.raised(world.now_us + 9, replace(FLOODS, effect=Effect.REVIEW))
    assert (looser.effect, looser.throttle_per_minute) == (Effect.REVIEW, 0)
    assert await world.store.throttles() == []


async def test_an_effect_of_a_newer_server_is_read(world: World) -> None:
    """It throttles nobody here."""
    [flag] = await world.raised(world.now_us, replace(FLOODS, effect=Effect(VALUE)))
    assert flag.effect == VALUE
    assert await world.store.open_by_effect() == {Effect(VALUE): 1}
    assert list(await world.store.throttles()) == []
