"""Nodes on one store: what one commits the others read and deliver, with a bus and without."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from antiphon_server.events.adapters.redis_bus import RedisBus
from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.adapters.sql import SqlLogStore
from antiphon_server.events.adapters.tables import metadata
from antiphon_server.events.model import Kind, NewEvent, Offset
from antiphon_server.events.ports import Bus, LogStore
from antiphon_server.runtime.storage.redis import Redis
from tests.events.nodes import Node, nodes
from tests.events.world import SCOPE, events
from tests.fakes.databases import on_each_kind
from tests.fakes.valkey import Valkey

stores = on_each_kind(lambda database: [SqlLogStore(database) for _ in range(2)], metadata)


@pytest.fixture(params=["silent", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Bus]]:
    """Makes each node's."""
    if request.param == "silent":
        yield SilentBus
    else:
        async with Valkey() as valkey:
            connections: list[Redis] = []

            def make() -> Bus:
                connections.append(Redis(valkey.url))
                return RedisBus(connections[-1], b"key")

            yield make
            for redis in connections:
                await redis.close()


@pytest.fixture
async def pair(stores: list[LogStore], bus: Callable[[], Bus]) -> AsyncIterator[list[Node]]:
    """Two nodes."""
    async with nodes(*stores, bus=bus) as pair:
        yield pair


async def test_a_reader_gets_what_other_nodes_commit(pair: list[Node]) -> None:
    """All of it, once, in order, whoever wrote it."""
    here, there = pair
    readers = [await here.reader(), await there.reader()]
    for number in range(40):
        await pair[number % 2].append(*events(3))
    for reader in readers:
        await reader.reached(120)
        assert reader.seen == list(range(1, 121))


async def test_what_was_acknowledged_is_read_anywhere(pair: list[Node]) -> None:
    """At once: by a page, by the head, and by one who begins to follow."""
    here, there = pair
    await there.append(*events())
    for number in range(2, 20):
        cursor = Offset((await here.append(*events())).last - 1)
        assert (await there.log.head(SCOPE)).last == number
        page = await there.log.read(SCOPE, cursor, 10)
        assert [record.last for record in page.records] == [number]
        assert page.at_head
        assert (await there.log.live(SCOPE)).head == number


async def test_nothing_is_at_the_head_behind_what_was_acknowledged(pair: list[Node]) -> None:
    """A position that another node's hub has not reached is none beyond its end."""
    here, there = pair
    await there.append(*events())
    for _ in range(5):
        place = await here.append(*events())
        position = await there.log.position(SCOPE, "")
        page = await there.log.read(SCOPE, position, 1000)
        assert page.position == place.last


async def test_a_turn_that_was_folded_meanwhile_is_whole(pair: list[Node]) -> None:
    """Who has a part of the deltas gets the rest, or what took over their offsets."""
    here, there = pair
    reader = await there.reader()
    for _ in range(5):
        deltas = [NewEvent(Kind.TEXT_DELTA, "turn", b"\x2a\x01x") for _ in range(3)]
        await here.append(*deltas)
        await here.append(*deltas)
        end = [NewEvent(Kind.TEXT_DELTA, "turn", b"\x2a\x01x"), NewEvent(10, "turn", b"\x2a\x01y")]
        await here.log.append(SCOPE, end, fold="turn")
        await asyncio.sleep(0.01)
        await here.append(*events())
    await reader.reached(45)


async def test_writers_on_all_nodes_at_once(pair: list[Node]) -> None:
    """Interleaved commits reach all readers in their order."""
    readers = [await node.reader() for node in pair for _ in range(2)]

    async def write(node: Node) -> None:
        for _ in range(50):
            await node.append(*events(2))

    began = time.monotonic()
    await asyncio.gather(*(write(node) for node in pair for _ in range(4)))
    wrote = time.monotonic()
    for reader in readers:
        await reader.reached(800)
    print(f"written in {wrote - began:.2f} s, all read {time.monotonic() - wrote:.3f} s later")
