"""Whatever becomes of the bus, every reader of every node gets each event once, in order."""

import asyncio
import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata
from antiphon_server.events.hub import RingBudget
from antiphon_server.events.hubs import Hubs
from antiphon_server.events.model import Kind, NewEvent
from antiphon_server.events.peer_commits import LookTimes
from tests.events.bus import Exchange
from tests.events.lossy_bus import LossyBus
from tests.events.nodes import Node, Reader, nodes
from tests.events.world import SCOPE, events
from tests.fakes.databases import opened_sqlite

NODES = 3
places = st.integers(0, NODES - 1)
steps = st.one_of(
    st.tuples(st.just("append"), places, st.integers(1, 4)),
    st.tuples(st.just("turn"), places, st.integers(1, 3)),
    st.tuples(st.just("both"), places, st.integers(1, 4)),
    st.tuples(st.just("read"), places, st.just(0)),
    st.tuples(st.just("away"), places, st.integers(0, 1)),
    st.tuples(st.just("wait"), places, st.integers(0, 12)),
)


IN_A_HURRY = LookTimes(short_s=0.01, long_s=0.02, gap_s=0.001)


def small() -> Hubs:
    """Readers fall off their rings."""
    return Hubs(budget=RingBudget(ring_events=4, idle_events=2))


class World:
    """Nodes, what they have committed, and who reads."""

    def __init__(self, made: list[Node], buses: list[LossyBus]) -> None:
        self._nodes = made
        self._buses = buses
        self._readers: list[Reader] = []
        self._last = 0
        self._turns = 0

    async def do(self, step: str, place: int, number: int) -> None:
        """One step."""
        node = self._nodes[place]
        match step:
            case "append":
                await self._append(node, events(number))
            case "turn":
                await self._turn(node, number)
            case "both":
                other = self._nodes[(place + 1) % NODES]
                await asyncio.gather(*(self._append(it, events(number)) for it in (node, other)))
            case "read":
                self._readers.append(await node.reader())
            case "away":
                self._buses[place].away = bool(number)
            case "wait":
                await asyncio.sleep(number / 1000)

    async def finish(self) -> None:
        """Everybody has read everything."""
        for reader in self._readers:
            await reader.reached(self._last)
        for node in self._nodes:
            assert (await node.log.read(SCOPE, (await node.log.head(SCOPE)).last, 1)).at_head
            node.check()

    async def _turn(self, node: Node, number: int) -> None:
        self._turns += 1
        turn = f"turn_{self._turns}"
        for _ in range(number):
            await self._append(node, [NewEvent(Kind.TEXT_DELTA, turn, b"\x2a\x01d")])
        await self._append(node, [NewEvent(10, turn, b"\x2a\x01m")], fold=turn)

    async def _append(self, node: Node, what: list[NewEvent], fold: str = "") -> None:
        place = await node.log.append(SCOPE, what, fold=fold)
        self._last = max(self._last, place.last)


async def play(script: list[tuple[str, int, int]], seed: int) -> None:
    """Do all steps, and see that nothing was lost."""
    chance, exchange = random.Random(seed), Exchange()
    buses: list[LossyBus] = []

    def make() -> LossyBus:
        buses.append(LossyBus(exchange, chance))
        return buses[-1]

    async with (
        opened_sqlite(metadata) as database,
        nodes(*[SqlLogStore(database)] * NODES, bus=make, hubs=small, times=IN_A_HURRY) as made,
    ):
        world = World(made, buses)
        for step in script:
            await world.do(*step)
        await world.finish()


@given(st.lists(steps, max_size=40), st.integers(0, 1000))
@example([("read", 1, 0), ("turn", 0, 3), ("append", 1, 1), ("turn", 0, 1)], 1)
@settings(max_examples=40)
def test_nothing_is_missing_and_nothing_comes_twice(
    script: list[tuple[str, int, int]], seed: int
) -> None:
    """For any order of commits, turns that are folded, readers that come, and losses."""
    asyncio.run(play(script, seed))
