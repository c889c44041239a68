"""What the edge refuses, and TLS at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_client.address import open_channel
from antiphon_client.redial import is_resumable
from antiphon_client.status import error_of_rpc
from antiphon_server.mesh.model import Address, CallRates, Edge, Passage
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from tests.certificates import Authority
from tests.mesh.grpc_web import GrpcWeb
from tests.mesh.world import HOST, envoy_before, small_server
from tests.runtime.events_service import HEAD, SCOPE

RATE = 5
FOLLOW = pb.FollowRequest(watches=[Watch(watch_id="w", scope=SCOPE)])


async def test_too_many_calls_and_tls(tmp_path: Path) -> None:
    """At one call too many RATE_LIMITED comes with its delay, to grpc-web too; all by TLS."""
    authority = Authority(tmp_path)
    edge = Edge(
        Address(HOST, 0),
        tls=await asyncio.to_thread(authority.files),
        rates=CallRates(1_000, RATE),
    )
    async with (
        small_server() as (_, port),
        envoy_before(port, edge, tmp_path) as envoy,
        open_channel(f"https://localhost:{envoy.port}", authority.trust) as channel,
    ):
        events: Any = stubs.EventServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await calls(events, 4 * RATE)
    error = domain_error_of(refused.value)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.reason is Reason.RATE_LIMITED
    assert error.retry_after == 1.0


async def calls(events: Any, count: int) -> None:
    """One after the other."""
    for _ in range(count):
        await events.GetHead(HEAD, timeout=5)


async def test_too_many_calls_of_a_browser(tmp_path: Path) -> None:
    """The same, framed as grpc-web."""
    edge = Edge(Address(HOST, 0), rates=CallRates(1_000, RATE))
    async with (
        small_server() as (_, port),
        envoy_before(port, edge, tmp_path) as envoy,
        GrpcWeb(envoy.port) as browser,
    ):
        path = "/antiphon.events.v1.EventService/GetHead"
        answers = [await browser.unary(path, HEAD) for _ in range(4 * RATE)]
    exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert {answer.status for answer in answers} == {0, exhausted}


async def test_callers_behind_another_proxy(tmp_path: Path) -> None:
    """They are told apart by what it says, and by nothing that they say themselves."""
    edge = Edge(Address(HOST, 0), rates=CallRates(1_000, RATE), trusted_hops=1)
    async with before(edge, tmp_path) as channel:
        events: Any = stubs.EventServiceStub(channel)
        for number in range(4 * RATE):
            whom = (("x-forwarded-for", f"203.0.113.{number}"),)
            await events.GetHead(HEAD, timeout=5, metadata=whom)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await claiming(events, 4 * RATE)
    assert domain_error_of(refused.value).reason is Reason.RATE_LIMITED


async def claiming(events: Any, count: int) -> None:
    """Calls of one who writes others' addresses before the proxy adds its caller's."""
    for number in range(count):
        whom = (("x-forwarded-for", f"198.51.100.{number},192.0.2.1"),)
        await events.GetHead(HEAD, timeout=5, metadata=whom)


async def test_too_many_calls_under_way(tmp_path: Path) -> None:
    """Beyond what may be under way to the servers a client is told at once when to come back."""
    edge = Edge(Address(HOST, 0), passage=Passage(requests=2))
    async with before(edge, tmp_path) as channel:
        followed = [follow(channel), follow(channel)]
        for stream in followed:
            await stream.read()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await follow(channel).read()
        for stream in followed:
            stream.cancel()
    error = domain_error_of(refused.value)
    assert error.reason is Reason.SERVICE_UNAVAILABLE
    assert error.metadata["service"] == "events"
    assert error.retry_after == 1.0


@pytest.mark.parametrize(
    "passage", [Passage(stream_longest_s=0.5), Passage(stream_idle_s=0.5)], ids=["longest", "idle"]
)
async def test_a_stream_ends_at_last(tmp_path: Path, passage: Passage) -> None:
    """One that has lasted too long, or on which nothing moves, ends so that clients resume it."""
    async with before(Edge(Address(HOST, 0), passage=passage), tmp_path) as channel:
        stream = follow(channel)
        await stream.read()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await stream.read()
    assert is_resumable(error_of_rpc(ended.value))


async def test_a_watch_of_health_may_be_silent(tmp_path: Path) -> None:
    """It says nothing as long as all is well, and its end would be taken for a fault."""
    edge = Edge(Address(HOST, 0), passage=Passage(stream_idle_s=0.2))
    async with before(edge, tmp_path) as channel:
        watch: Any = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(watch.read(), 2)


def follow(channel: grpc.aio.Channel) -> Any:
    """A stream whose server says one thing, and then nothing more."""
    events: Any = stubs.EventServiceStub(channel)
    return events.Follow(FOLLOW, timeout=20)


@asynccontextmanager
async def before(edge: Edge, folder: Path) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to an edge before a small server."""
    async with (
        small_server() as (_, port),
        envoy_before(port, edge, folder) as envoy,
        open_channel(f"{HOST}:{envoy.port}") as channel,
    ):
        yield channel
