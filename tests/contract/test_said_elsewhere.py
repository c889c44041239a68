"""What servers tell each other of what was said is heard once, by each, for five minutes."""

from dataclasses import dataclass

import pytest

from antiphon_server.anomalies.adapters.sql_elsewhere import KEPT_US, SqlElsewhere
from antiphon_server.anomalies.adapters.tables import told
from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind

database = on_each_kind(lambda it: it, told.metadata)
ANN = Signal(Sign.SAID, 1000.25, "users/user_00000ann", "sess_1", "conv_1", "ws_1", 7, 40, 3)
BOB = Signal(Sign.SAID, 1000.5, "users/user_00000bob", workspace="ws_1", amount=12)


@dataclass
class World:
    """A store, and a time for all servers of it."""

    database: Database
    now_us: int = 1_000_000_000

    def server(self, *, late_us: int = 0) -> SqlElsewhere:
        """One more; its clock may be late."""
        return SqlElsewhere(self.database, lambda: self.now_us - late_us)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


async def test_what_one_tells_others_hear_once(world: World) -> None:
    """All of it, in order, and not by who has told it."""
    one, other = world.server(), world.server()
    await one.tell([ANN, BOB])
    await one.tell([BOB])
    assert await one.heard() == []
    assert await other.heard() == [ANN, BOB, BOB]
    assert await other.heard() == []
    await one.tell([ANN])
    await other.tell([BOB])
    assert (await other.heard(), await one.heard()) == ([ANN], [BOB])


async def test_a_server_that_begins_hears_the_last_minutes(world: World) -> None:
    """Also what it told itself in its life before; not what is older."""
    one = world.server()
    await one.tell([ANN])
    world.now_us += KEPT_US
    await one.tell([BOB])
    assert await world.server().heard() == [BOB]
    world.now_us += KEPT_US
    assert await world.server().heard() == []


async def test_a_late_clock_is_heard(world: World) -> None:
    """Words are numbered: that others told later ones by their clocks hides none."""
    late, one, hearer = world.server(late_us=200_000_000), world.server(), world.server()
    await one.tell([ANN])
    assert await hearer.heard() == [ANN]
    await late.tell([BOB])
    await one.tell([ANN])
    assert await hearer.heard() == [BOB, ANN]
    await late.tell([BOB])
    assert await hearer.heard() == [BOB]


async def test_what_is_old_is_removed(world: World) -> None:
    """And what is not stays."""
    one = world.server()
    await one.tell([ANN])
    world.now_us += KEPT_US + 1
    await one.tell([BOB])
    await one.forget()
    world.now_us -= KEPT_US
    assert await world.server().heard() == [BOB]
