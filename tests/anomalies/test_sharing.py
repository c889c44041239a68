"""Who floods through several servers is seen as one who floods; a restart forgets nobody."""

from dataclasses import dataclass, field

import pytest

from antiphon_server.anomalies.adapters.sql_detectors import sql_detectors
from antiphon_server.anomalies.adapters.sql_elsewhere import SqlElsewhere
from antiphon_server.anomalies.adapters.sql_flags import SqlFlags
from antiphon_server.anomalies.adapters.tables import told
from antiphon_server.anomalies.detecting import Detecting
from antiphon_server.anomalies.model import Detector, Flag, Rate, Repetition, Sign, Signal
from antiphon_server.anomalies.ports import Wanted
from antiphon_server.anomalies.sharing import MOST_KEPT, MOST_TOLD, Sharing
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.anomalies.watching import Detectors, Watching
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.storage.database import Database
from tests.fakes.databases import on_each_kind
from tests.proofs.anomalies.running import Everything

database = on_each_kind(lambda it: it, told.metadata)
ANN, HOME = "users/user_00000ann", "ws_00000001"
FLOODS, SAME = Detector("floods", Rate(most=10)), Detector("same", Repetition(most=6))


@dataclass
class Server:
    """A server of a store, at a time that all have."""

    world: "World"

    def __post_init__(self) -> None:
        world, now = self.world, lambda: self.world.now
        now_us = lambda: int(self.world.now * 1e6)  # noqa: E731
        detectors = Detectors("detectors", sql_detectors(world.database), Detecting)
        self.detectors, self.flags = detectors, SqlFlags(world.database, now_us)
        throttles = Throttles(Everything(), now_us)
        self.watching = Watching(detectors, self.flags, throttles, now)
        elsewhere = SqlElsewhere(world.database, now_us)
        self.sharing = Sharing(detectors, self.watching, elsewhere, now)

    async def begun(self) -> "Server":
        """The same, as it is when it takes messages."""
        await self.detectors.refresh()
        await self.watching.look()
        await self.sharing.exchange()
        return self

    def says(self, times: int, text: int = 0, who: str = ANN) -> None:
        """Somebody says something here."""
        for _ in range(times):
            signal = Signal(Sign.SAID, self.world.now, who, "s", "c", HOME, text, 40)
            self.watching.note(signal)
            self.sharing.note(signal)

    async def does(self) -> None:
        """What it does each second."""
        await self.sharing.exchange()
        await self.watching.see_all()
        await self.watching.write()


@dataclass
class World:
    """A store, and the time."""

    database: Database
    now: float = 1_800_000_000.0
    servers: list[Server] = field(default_factory=list)

    async def server(self) -> Server:
        """One more."""
        self.servers.append(await Server(self).begun())
        return self.servers[-1]

    async def second(self) -> None:
        """Everybody does what they do each second, so that each has heard what all have told."""
        for _ in range(2):
            for it in self.servers:
                await it.does()
        self.now += 1

    async def flags(self) -> list[Flag]:
        """Those that are open."""
        return list(await SqlFlags(self.database).list(Wanted()))


@pytest.fixture
async def world(database: Database) -> World:
    set_principal(Principal("user", UserId("user_0000boss"), SessionId("sess_1")))
    world = World(database)
    setter = await world.server()
    await setter.detectors.set(GLOBAL, [FLOODS, SAME], "", None)
    world.servers.clear()
    return world


async def test_half_a_flood_at_each_server_is_a_flood(world: World) -> None:
    """Each has less than is too much; together it is one flag, which counts each message once."""
    one, other = await world.server(), await world.server()
    for _ in range(4):
        one.says(1)
        other.says(1)
        await world.second()
    assert await world.flags() == []
    one.says(1)
    other.says(1)
    await world.second()
    [flag] = await world.flags()
    assert (flag.key.detector, flag.key.subject) == ("floods", ANN)
    assert flag.evidence["messages"] == 10
    assert flag.count == 1


async def test_the_same_at_several_servers_is_a_repetition(world: World) -> None:
    """Of each text by itself, and of each user."""
    one, other = await world.server(), await world.server()
    for server in (one, other):
        server.says(2, text=7)
        server.says(2, text=8, who="users/user_00000bob")
    await world.second()
    assert await world.flags() == []
    one.says(2, text=7)
    await world.second()
    [flag] = await world.flags()
    assert flag.evidence["times"] == 6
    assert (flag.key.detector, flag.key.subject) == ("same", ANN)


async def test_a_restart_forgets_nobody(world: World) -> None:
    """What was counted in the last minutes counts on; nobody is flagged for having restarted."""
    one = await world.server()
    one.says(9)
    await world.second()
    world.servers.clear()
    again = await world.server()
    await world.second()
    assert await world.flags() == []
    again.says(1)
    await world.second()
    assert [it.key.detector for it in await world.flags()] == ["floods"]


async def test_what_was_cleared_does_not_come_back_by_others(world: World) -> None:
    """What they tell of later was said before: it is forgiven, too."""
    one, other = await world.server(), await world.server()
    one.says(10)
    await world.second()
    [flag] = await world.flags()
    one.says(9)
    other.says(1)
    cleared = await other.flags.clear("", flag.flag_id, "a test")
    assert cleared is not None
    world.now += 0.001
    for server in (one, other):
        await server.watching.look()
    await world.second()
    world.now += 2
    other.says(1)
    await world.second()
    assert await world.flags() == []


async def test_a_clock_that_is_ahead_puts_nobody_into_the_future(world: World) -> None:
    """What comes from there counts now, and no longer than anything else."""
    one = await world.server()
    ahead = World(world.database, world.now + 3600)
    other = await ahead.server()
    other.says(9)
    await ahead.second()
    await world.second()
    world.now += 120
    one.says(9)
    await world.second()
    assert await world.flags() == []


async def test_no_more_is_told_than_has_its_place(world: World) -> None:
    """Of many who speak, those who speak most; and where no detector stands nothing is."""
    one, other = await world.server(), await world.server()
    for number in range(MOST_KEPT + 10):
        one.sharing.note(Signal(Sign.SAID, world.now, f"users/{number}"))
    one.says(9)
    one.sharing.note(Signal(Sign.SAID, world.now, "users/5", amount=2))
    await one.sharing.exchange()
    await other.sharing.exchange()
    await other.watching.see_all()
    assert other.watching.seen == MOST_TOLD
    await one.detectors.set(GLOBAL, [], "", None)
    one.says(3)
    await one.sharing.exchange()
    heard = await SqlElsewhere(world.database, lambda: int(world.now * 1e6)).heard()
    assert len(heard) == MOST_TOLD


async def test_what_was_told_before_a_detector_stood_counts_for_none(world: World) -> None:
    """All were taken away meanwhile: who is watched from now on is judged by what comes now."""
    one, other = await world.server(), await world.server()
    other.says(9)
    await other.sharing.exchange()
    await one.detectors.set(GLOBAL, [], "", None)
    await one.sharing.exchange()
    await one.detectors.set(GLOBAL, [FLOODS], "", None)
    one.says(5)
    await one.does()
    assert await world.flags() == []
