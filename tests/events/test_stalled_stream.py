"""A client that does not read can't be told that its stream is over; it must not gain by that."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from antiphon.events.v1 import event_pb2
from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import NewEvent
from antiphon_server.events.servicer import EventServicer
from antiphon_server.events.subscriptions import Subscriptions
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.server import Server
from tests.e2e.until import SOON_S, until_it
from tests.events.world import SCOPE, Gate

SMALL_WINDOW = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65_536)]
OWN = [("grpc.use_local_subchannel_pool", 1)]
REQUEST = pb.FollowRequest(watches=[Watch(watch_id="w", scope=SCOPE)])


@pytest.fixture
async def address(log: EventLog) -> AsyncIterator[str]:
    """Where the log's service is: a user may have one stream, and must read it soon."""
    table = LocalServer([ErrorInterceptor()])
    streams = Subscriptions(Gate(), Shares(ShareSettings(streams=1)))
    servicer = EventServicer(log, streams, read_within_s=0.2)
    add_EventServiceServicer_to_server(servicer, table)
    server = Server(table)
    port = await server.start("127.0.0.1", 0)
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def reason_of(
    call: "grpc.aio.UnaryStreamCall[pb.FollowRequest, pb.FollowResponse]",
) -> Reason:
    """Read a stream to its end."""
    try:
        async with asyncio.timeout(SOON_S):
            while await call.read() is not grpc.aio.EOF:
                pass
    except grpc.aio.AioRpcError as error:
        return domain_error_of(error).reason
    raise AssertionError("the stream ended well")


async def fill(log: EventLog) -> None:
    """More than any window takes."""
    event = event_pb2.Event()
    event.message_posted.message.parts.add(text="x" * 200_000)
    body = event.SerializeToString()
    for _ in range(20):
        await log.append(SCOPE, [NewEvent(10, "", body)])


async def test_a_stalled_stream_counts_until_its_client_reads_or_goes(
    log: EventLog, address: str
) -> None:
    """Who has as many streams as allowed, none of which is read, can't open another one."""
    async with (
        grpc.aio.insecure_channel(address, SMALL_WINDOW + OWN) as stalling,
        grpc.aio.insecure_channel(address, OWN) as other,
    ):
        stalled = EventServiceStub(stalling).Follow(REQUEST)
        await stalled.read()
        await fill(log)
        await asyncio.sleep(0.6)
        assert await reason_of(EventServiceStub(other).Follow(REQUEST)) is Reason.LIMIT_EXCEEDED
        assert await reason_of(stalled) is Reason.OVERLOADED
        again = EventServiceStub(other).Follow(REQUEST)
        frame = await again.read()
        assert isinstance(frame, pb.FollowResponse)


async def test_a_client_that_goes_frees_its_stalled_stream(log: EventLog, address: str) -> None:
    """The connection's end is the stream's end."""
    async with grpc.aio.insecure_channel(address, SMALL_WINDOW + OWN) as stalling:
        await EventServiceStub(stalling).Follow(REQUEST).read()
        await fill(log)
        await asyncio.sleep(0.6)
    async with grpc.aio.insecure_channel(address, OWN) as other:
        await until_it(lambda: _opens(other), SOON_S)


async def _opens(channel: grpc.aio.Channel) -> bool:
    try:
        frame = await EventServiceStub(channel).Follow(REQUEST).read()
    except grpc.aio.AioRpcError:
        return False
    return isinstance(frame, pb.FollowResponse)
