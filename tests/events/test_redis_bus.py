"""The bus over Redis by itself: what it carries, and that it ends when told to."""

import asyncio
import hmac
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_server.events.adapters import redis_bus
from antiphon_server.events.adapters.bus_wire import CARRIED_BYTES, Message, encode, wire_commit
from antiphon_server.events.adapters.redis_bus import CHANNEL, GOODBYE, OLD_S, RedisBus
from antiphon_server.events.model import Commit, Epoch, Offset, Record, Scope
from antiphon_server.runtime.storage.redis import Redis
from tests.e2e.until import SOON_S, until
from tests.events.world import SCOPE
from tests.fakes.valkey import Valkey

STORE = "0123456789ab"
KEY = b"the key of the nodes"


class Ears:
    """Notes what is heard."""

    def __init__(self) -> None:
        self.commits = asyncio.Queue[Commit]()
        self.misses = 0
        self.missing = asyncio.Event()

    def on_commit(self, commit: Commit) -> None:
        self.commits.put_nowait(commit)

    def on_ephemeral(self, scope: Scope, body: bytes) -> None:
        pass

    def on_missed(self) -> None:
        self.misses += 1
        self.missing.set()


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    async with Valkey() as server:
        yield server


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    connected = Redis(valkey.url, deadline_s=5.0)
    yield connected
    await connected.close()


@pytest.fixture
async def ears(redis: Redis) -> AsyncIterator[Ears]:
    """A node that hears."""
    ears = Ears()
    async with on_the_bus(RedisBus(redis, KEY), ears) as bus:
        await until(lambda: bus.connected, SOON_S)
        yield ears


@asynccontextmanager
async def on_the_bus(
    bus: RedisBus, ears: Ears | None = None, store: str = STORE
) -> AsyncIterator[RedisBus]:
    """The bus, while it runs."""
    running = asyncio.create_task(bus.run(store, ears or Ears()))
    yield bus
    running.cancel()
    await asyncio.wait([running])


def commit(first: int, *bodies: bytes) -> Commit:
    """One of those events."""
    records = [
        Record(Offset(offset), Offset(offset), 10, body)
        for offset, body in enumerate(bodies, first)
    ]
    return Commit(SCOPE, Epoch("e"), records[-1].last, records)


async def published(redis: Redis, message: bytes) -> None:
    """Say something on the channel."""
    await redis.publish(f"{CHANNEL}:{STORE}", message)


async def test_it_ends_when_told_to(redis: Redis) -> None:
    """At whatever moment: the client's own waits may swallow a cancellation."""
    chance = random.Random(7)
    talking = asyncio.create_task(_talk(redis))
    for _ in range(60):
        running = asyncio.create_task(RedisBus(redis, KEY).run(STORE, Ears()))
        await asyncio.sleep(chance.random() * 0.02)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=SOON_S)
        assert done
    talking.cancel()
    await asyncio.wait([talking])
    assert redis.down_since is None


async def _talk(redis: Redis) -> None:
    while True:
        await published(redis, b"?")


async def test_commits_arrive_as_they_are(redis: Redis, ears: Ears) -> None:
    """In the order in which they were said; what is large is only told of."""
    said = [commit(1, b"a", b"b"), commit(3, bytes(CARRIED_BYTES + 1)), commit(4, b"c")]
    async with on_the_bus(RedisBus(redis, KEY)) as bus, asyncio.timeout(SOON_S):
        for one in said:
            bus.send_commit(one)
        heard = [await ears.commits.get() for _ in said]
    assert [it.last for it in heard] == [2, 3, 4]
    assert [[record.wire for record in it.records] for it in heard] == [[b"a", b"b"], [], [b"c"]]


async def test_what_is_too_much_to_wait_is_missed(redis: Redis, ears: Ears) -> None:
    """It is dropped, and those who listen learn that something is missing."""
    bus = RedisBus(redis, KEY, most_bytes=1000)
    async with on_the_bus(bus), asyncio.timeout(SOON_S):
        await ears.missing.wait()  # the first word of a node that was not known
        ears.missing.clear()
        for number in range(1, 100):
            bus.send_commit(commit(number, bytes(100)))
        await ears.missing.wait()


@pytest.mark.parametrize("number", [2, 0x7FFF])
async def test_a_word_that_was_lost_is_missed(redis: Redis, ears: Ears, number: int) -> None:
    """By the number of the next; the one that follows is none of them."""
    async with asyncio.timeout(SOON_S):
        for said in (1, number + 1, number + 2):
            await published(redis, encode(Message(f"node_{number}", said), KEY))
        while ears.misses < 2:
            await ears.missing.wait()
        await asyncio.sleep(0.05)
    assert ears.misses == 2


async def test_what_can_not_be_read_is_missed(redis: Redis, ears: Ears) -> None:
    """A version to come may say what this one does not know."""
    body = b"?"
    await published(redis, hmac.digest(KEY, body, "sha256") + body)
    async with asyncio.timeout(SOON_S):
        await ears.missing.wait()


async def test_others_than_nodes_are_not_heard(redis: Redis, ears: Ears) -> None:
    """Whoever can publish there, but has not the key, changes nothing and costs no look."""
    sent = wire_commit(commit(1, b"a"))[0]
    forged = Message("node_of_nobody", 1, [sent])
    for data in (b"", b"?", encode(forged, b"another key"), encode(forged, KEY)[:-1] + b"?"):
        await published(redis, data)
    await published(redis, encode(Message("node_true", 1, [wire_commit(commit(2, b"b"))[0]]), KEY))
    async with asyncio.timeout(SOON_S):
        heard = await ears.commits.get()
    assert heard.last == 2
    assert ears.misses == 1  # of the node that was not known


async def test_what_is_repeated_is_heard_once(redis: Redis, ears: Ears) -> None:
    """Whoever can listen has messages that are authentic, and may send them again."""
    said = [Message("node_a", n, [wire_commit(commit(n, b"a"))[0]]) for n in (1, 2, 3)]
    for message in (*said[:2], said[0], said[1], said[2]):
        await published(redis, encode(message, KEY))
    async with asyncio.timeout(SOON_S):
        heard = [await ears.commits.get() for _ in said]
    assert [it.last for it in heard] == [1, 2, 3]
    assert ears.misses == 1


async def test_what_is_repeated_of_those_who_are_gone_is_not_heard(
    redis: Redis, ears: Ears
) -> None:
    """Neither just after their goodbye, nor, by who knew them not, half a minute later."""
    gone = encode(Message("node_gone", 1, [wire_commit(commit(1, b"a"))[0]]), KEY)
    old = Message("node_old", 1, [wire_commit(commit(2, b"b"))[0]], at=time.time() - OLD_S - 1)
    bye = encode(Message("node_gone", GOODBYE), KEY)
    there = encode(Message("node_there", 1, [wire_commit(commit(3, b"c"))[0]]), KEY)
    for data in (gone, bye, gone, encode(old, KEY), there):
        await published(redis, data)
    async with asyncio.timeout(SOON_S):
        heard = [await ears.commits.get() for _ in range(2)]
    assert [it.last for it in heard] == [1, 3]
    assert ears.misses == 2  # of the two that were not known


async def test_those_on_another_store_are_not_heard(redis: Redis, ears: Ears) -> None:
    """Nor do they count as nodes that may fall silent."""
    others = Ears()
    async with on_the_bus(RedisBus(redis, KEY), others, "another store") as bus:
        await until(lambda: bus.connected, SOON_S)
        bus.send_commit(commit(1, b"a"))
        await asyncio.sleep(0.1)
    assert ears.commits.empty()
    assert (ears.misses, others.misses) == (0, 0)


async def test_a_node_that_is_gone_is_no_bus_that_is_away(redis: Redis) -> None:
    """Without a goodbye, as when it was killed: the store is looked into more often."""
    async with on_the_bus(RedisBus(redis, KEY)) as bus:
        await until(lambda: bus.connected, SOON_S)
        await published(redis, encode(Message("node_gone", 1), KEY))
        await until(lambda: not bus.connected, SOON_S)
        await asyncio.sleep(2 * redis_bus.BEAT_S)
        assert not bus.connected
        assert bus.availability.up
