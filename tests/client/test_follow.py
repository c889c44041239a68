import asyncio
import itertools
from collections.abc import AsyncGenerator

import pytest
from google.rpc import code_pb2

from antiphon.events.v1 import event_pb2, stream_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client import (
    AntiphonError,
    ApiKey,
    Client,
    Connection,
    Follow,
    GapError,
    HistoryLost,
    PermissionDenied,
    restart_at_earliest,
)
from tests.client.fake_server import SCOPE, FakeServer, error_status, fake_server
from tests.fakes.proxy import Proxy


async def fill(server: FakeServer, count: int) -> None:
    for number in range(count):
        progress = event_pb2.TurnProgressed(status=str(number))
        await server.log.append(Event(turn_progressed=progress))


async def offsets(client: Client, count: int) -> list[int]:
    follow = client.follow(SCOPE, earliest=True)
    seen = []
    async for event in follow:
        seen.append(event.last_offset)
        if len(seen) == count:
            break
    return seen


async def test_it_gives_what_is_there_and_what_comes() -> None:
    """From the earliest on: the past, then the present, in order."""
    async with fake_server() as server, server.client() as client:
        await fill(server, 5)
        reading = asyncio.create_task(offsets(client, 10))
        await asyncio.sleep(0.1)
        await fill(server, 5)
        assert await reading == list(range(1, 11))


async def test_a_cursor_goes_on_right_behind_it() -> None:
    """A program that stored a cursor misses nothing and sees nothing twice."""
    async with fake_server(batch_limit=3) as server:
        await fill(server, 9)
        async with server.client() as client:
            first = await anext(client.follow(SCOPE, earliest=True).batches())
        async with server.client() as client:
            following = client.follow(SCOPE, cursor=first.cursor, offset=first.offset)
            seen = [event.last_offset async for event in take(following, 6)]
        assert seen == [4, 5, 6, 7, 8, 9]


async def take(follow: Follow, count: int) -> AsyncGenerator[Event]:
    async for event in follow:
        yield event
        count -= 1
        if not count:
            return


async def test_cuts_lose_and_repeat_nothing() -> None:
    """Whatever is cut, every event comes once and in order."""
    async with (
        fake_server(batch_limit=7) as server,
        Proxy(server.port) as proxy,
        Client.connect(proxy.address, ApiKey("key")) as client,
    ):

        async def cut() -> None:
            for size in itertools.cycle([700, 1500, 90, 4000]):
                proxy.cut_after(size)
                await asyncio.sleep(0.06)

        cutting = asyncio.create_task(cut())
        await fill(server, 500)
        reading = asyncio.create_task(offsets(client, 1500))
        for _ in range(10):
            await fill(server, 100)
            await asyncio.sleep(0.05)
        seen = await reading
        cutting.cancel()
        assert seen == list(range(1, 1501))
        assert server.streams > 5


async def test_a_gap_is_a_typed_error() -> None:
    """An event that is left out is noticed, and never passed over."""
    async with fake_server(skip=3) as server, server.client() as client:
        await fill(server, 5)
        with pytest.raises(GapError) as caught:
            await offsets(client, 5)
        assert caught.value.metadata["expected_offset"] == "3"
        assert caught.value.metadata["found_offset"] == "4"


async def test_lost_history_is_a_typed_error() -> None:
    """A cursor that is too old says so, and where the log begins now."""
    async with fake_server() as server, server.client() as client:
        await fill(server, 9)
        server.log.earliest = 5
        with pytest.raises(HistoryLost) as caught:
            async for _ in client.follow(SCOPE, cursor="1:2"):
                pass
        assert caught.value.earliest_cursor == "1:4"


async def test_lost_history_can_be_accepted() -> None:
    """With a policy the stream goes on where that says."""
    async with fake_server() as server, server.client() as client:
        await fill(server, 9)
        server.log.earliest = 5
        follow = client.follow(SCOPE, cursor="1:2", on_history_lost=restart_at_earliest)
        assert [e.last_offset async for e in take(follow, 5)] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (stream_pb2.CLOSE_REASON_ACCESS_REMOVED, PermissionDenied),
        (stream_pb2.CLOSE_REASON_REJECTED, AntiphonError),
    ],
)
async def test_final_reasons_end_it(
    reason: stream_pb2.CloseReason.ValueType, kind: type[Exception]
) -> None:
    """Where going on makes no sense, the iterator ends by a typed error."""
    ends = [stream_pb2.WatchEnded(reason=reason)]
    async with fake_server(ends=ends) as server, server.client() as client:
        with pytest.raises(kind):
            await offsets(client, 1)
        assert server.streams == 1


async def test_a_rejection_keeps_its_reason() -> None:
    """What the server says about a refused watch is what the caller gets."""
    error = error_status(code_pb2.INVALID_ARGUMENT, "CURSOR_INVALID", scope=SCOPE)
    ended = stream_pb2.WatchEnded(reason=stream_pb2.CLOSE_REASON_REJECTED, error=error)
    async with fake_server(ends=[ended]) as server, server.client() as client:
        with pytest.raises(AntiphonError) as caught:
            await offsets(client, 1)
        assert caught.value.reason == "CURSOR_INVALID"


@pytest.mark.parametrize(
    "reason",
    [
        stream_pb2.CLOSE_REASON_SLOW_READER,
        stream_pb2.CLOSE_REASON_DRAINING,
        stream_pb2.CLOSE_REASON_SESSION_ENDED,
    ],
)
async def test_other_reasons_are_resumed(reason: stream_pb2.CloseReason.ValueType) -> None:
    """A stream that may be resumed is, without a word to the caller."""
    ends = [stream_pb2.WatchEnded(reason=reason)]
    async with fake_server(ends=ends) as server, server.client() as client:
        await fill(server, 3)
        assert await offsets(client, 3) == [1, 2, 3]
        assert server.streams == 2


async def test_a_draining_server_is_left_alone_for_as_long_as_it_asks() -> None:
    """The client connects again after the time it was told, not before."""
    pauses: list[float] = []

    def note(connection: Connection) -> None:
        if connection.state == "waiting":
            pauses.append(connection.pause)

    async with fake_server() as server, server.client(on_connection=note) as client:
        await fill(server, 1)
        reading = asyncio.create_task(offsets(client, 2))
        await asyncio.sleep(0.1)
        server.drain.set()
        await fill(server, 1)
        assert await reading == [1, 2]
        assert pauses[0] >= 0.2


async def test_a_silent_server_is_left() -> None:
    """No frame for too long means a dead connection."""
    async with fake_server(silent=True) as server, server.client(silence=0.2) as client:
        await fill(server, 1)
        reading = asyncio.create_task(offsets(client, 1))
        await asyncio.sleep(0.3)
        server.silent = False
        assert await reading == [1]
        assert server.streams >= 2


async def test_a_stalled_network_is_left() -> None:
    """A connection through which nothing comes any more is replaced."""
    async with (
        fake_server() as server,
        Proxy(server.port) as proxy,
        Client.connect(proxy.address, ApiKey("key"), silence=0.5) as client,
    ):
        await fill(server, 1)
        reading = asyncio.create_task(offsets(client, 2))
        await asyncio.sleep(0.2)
        proxy.stall("down")
        await fill(server, 1)
        await asyncio.sleep(0.8)
        proxy.flow()
        assert await reading == [1, 2]


async def test_the_token_is_renewed_on_the_open_stream() -> None:
    """Before it expires the stream's token is replaced, and the stream lives on."""
    async with fake_server(token_life_s=0.5) as server, server.client() as client:
        reading = asyncio.create_task(offsets(client, 1))
        await asyncio.sleep(1.0)
        await fill(server, 1)
        assert await reading == [1]
        assert server.streams == 1
        assert len(server.renewals) >= 1


async def test_leaving_the_loop_ends_the_stream() -> None:
    """Breaking out of the iteration leaves no task behind."""
    async with fake_server() as server, server.client() as client:
        await fill(server, 3)
        before = len(asyncio.all_tasks())
        assert await offsets(client, 1) == [1]
        await asyncio.sleep(0.2)
        assert not [it for it in asyncio.all_tasks() if it.get_name().startswith("antiphon")]
        assert len(asyncio.all_tasks()) <= before + 1
