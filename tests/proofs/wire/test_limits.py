"""Each limit of the port, small, on a real server: what is within it is served, one more is not."""

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hyperframe.frame import DataFrame, PingFrame

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon.events.v1.stream_pb2 import Watch
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.limits import OWN_FILES, Limits, allowed_connections
from antiphon_server.runtime.rpc.server import Server
from tests.proofs.wire.raw import PREFACE, Raw, begun, connected, grpc_frame, request_headers
from tests.runtime.events_service import HEAD, SCOPE, Events

DOCUMENT = Path(__file__).parents[3] / "docs/guides/limits.md"
FOLLOW = pb.FollowRequest(watches=[Watch(watch_id="w", scope=SCOPE)])
FOLLOW_PATH = "/antiphon.events.v1.EventService/Follow"
HEAD_PATH = "/antiphon.events.v1.EventService/GetHead"
REFUSED_STREAM, CALMER = 7, 11
SOON_S = 10.0


@asynccontextmanager
async def serving(**limits: Any) -> AsyncIterator[int]:
    """A small server with those limits; its port."""
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    stubs.add_EventServiceServicer_to_server(Events(), table)
    Health().register(table)
    server = Server(table, Limits(**limits))
    port = await server.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.stop(0)


async def alive(raw: Raw) -> bool:
    """Whether the server takes up a connection."""
    return await raw.until(lambda: raw.settings, 2)


async def ended_within(raw: Raw, seconds: float) -> float:
    """How long the server kept the connection; fails if that was too long."""
    began = time.monotonic()
    assert await raw.until(lambda: raw.outcome.closed, seconds), raw.outcome
    return time.monotonic() - began


async def taken_up(port: int) -> bool:
    """Whether a new connection is taken up, as soon as there is room."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON_S):
            while True:
                async with begun(port) as raw:
                    if await alive(raw):
                        return True
    return False


async def served(stub: Any) -> bool:
    """Whether a call is handled, as soon as there is room."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON_S):
            while True:
                try:
                    await stub.GetHead(HEAD, timeout=5)
                    return True
                except grpc.aio.AioRpcError as error:
                    if domain_error_of(error).reason is not Reason.OVERLOADED:
                        raise
                    await asyncio.sleep(0.02)
    return False


def _answered(raw: Raw, stream: int) -> int:
    return raw.of(stream).messages


async def follow(raw: Raw, stream: int) -> None:
    headers = request_headers(FOLLOW_PATH)
    await raw.call(stream, grpc_frame(FOLLOW.SerializeToString()), headers)


async def test_streams_of_a_connection() -> None:
    """So many streams are served at once; the next is refused, and may come after another."""
    async with serving(streams=5) as port, begun(port) as raw:
        assert await alive(raw)
        for stream in range(1, 13, 2):
            await follow(raw, stream)
        assert await raw.until(lambda: raw.of(11).reset is not None, 2)
        assert raw.of(11).reset == REFUSED_STREAM
        assert await raw.until(lambda: all(raw.of(it).messages for it in range(1, 11, 2)), 2)


async def test_connections() -> None:
    """So many connections are taken up; the next is closed, and there is room after another."""
    async with serving(connections=2) as port:
        async with begun(port) as one, begun(port) as two, begun(port) as three:
            assert await alive(one)
            assert await alive(two)
            assert not await alive(three)
            assert three.outcome.closed
        assert await taken_up(port)


async def test_rpcs_of_all_connections() -> None:
    """So many calls are handled at once; the next is told to come back; health is always told."""
    async with serving(rpcs=2) as port, begun(port) as one, begun(port) as two:
        await follow(one, 1)
        await follow(two, 1)
        assert await one.until(lambda: one.of(1).messages, 2)
        assert await two.until(lambda: two.of(1).messages, 2)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = stubs.EventServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetHead(HEAD, timeout=5)
            refusal = domain_error_of(caught.value)
            assert refusal.reason is Reason.OVERLOADED
            assert refusal.retry_after == 1.0
            health: Any = health_pb2_grpc.HealthStub(channel)
            await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
            await one.close()
            assert await served(stub)


async def test_watches_of_the_health() -> None:
    """They need no token and have no end, so they are few; another may come when one has gone."""
    async with (
        serving(rpcs=5, health_watches=2) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        watches = [health.Watch(health_pb2.HealthCheckRequest()) for _ in range(2)]
        for watch in watches:
            await watch.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Watch(health_pb2.HealthCheckRequest(), timeout=5).read()
        assert domain_error_of(caught.value).reason is Reason.OVERLOADED
        await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
        watches[0].cancel()
        await asyncio.sleep(0.2)
        await health.Watch(health_pb2.HealthCheckRequest(), timeout=5).read()


@pytest.mark.parametrize("said", [b"", PREFACE[:7], PREFACE, PREFACE + b"\0\0\0"])
async def test_a_handshake_that_does_not_end(said: bytes) -> None:
    """Who does not say the preface and settings in time is cut off."""
    async with serving(handshake_s=0.5) as port, connected(port) as raw:
        await raw.send(said)
        assert await ended_within(raw, 3) > 0.3


async def test_settings_that_are_not_acknowledged() -> None:
    """Who does not acknowledge the server's settings, so that its limits don't hold, is cut off."""
    async with serving(handshake_s=0.5) as port, connected(port) as raw:
        await raw.begin()
        raw.mute()
        await follow(raw, 1)
        assert await ended_within(raw, 5) > 0.3


async def test_requests_that_do_not_become_whole() -> None:
    """Half a message, or none, is waited for for so long; other calls are served meanwhile."""
    async with serving(request_s=0.5) as port, begun(port) as raw:
        began = time.monotonic()
        for stream, sent in ((1, grpc_frame(b"\x0a", length=100)), (3, b"")):
            await raw.send(raw.headers(stream, request_headers(HEAD_PATH)), DataFrame(stream, sent))
        await raw.call(5, grpc_frame(HEAD.SerializeToString()), request_headers(HEAD_PATH))
        for stream in (1, 3):
            late = grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
            assert (await raw.refused(10, stream)).status == late
        assert time.monotonic() - began > 0.4
        await raw.call(7, grpc_frame(HEAD.SerializeToString()), request_headers(HEAD_PATH))
        assert await raw.until(lambda: raw.of(5).status == 0 and raw.of(7).status == 0, 10)


async def test_a_connection_without_calls() -> None:
    """It is closed after a while; one with a stream is not."""
    async with serving(idle_s=1) as port, begun(port) as idle, begun(port) as busy:
        await follow(busy, 1)
        await ended_within(idle, 4)
        assert idle.outcome.why == b"connection idle"
        assert not busy.outcome.closed


async def test_a_connection_that_is_old() -> None:
    """It is told to go, and cut off after the grace though a stream is open."""
    async with serving(age_s=1, age_grace_s=0.5) as port, begun(port) as raw:
        await follow(raw, 1)
        assert await ended_within(raw, 5) > 0.8
        assert raw.outcome.goaway == 0


async def test_a_peer_that_is_gone() -> None:
    """Who does not answer a ping is cut off."""
    async with serving(keepalive_s=1, keepalive_timeout_s=1) as port, connected(port) as raw:
        await raw.begin()
        await follow(raw, 1)
        raw.mute()
        await ended_within(raw, 8)


async def test_pings_without_need() -> None:
    """Who pings too often is told to be calmer, and cut off."""
    async with serving(client_ping_s=10) as port, begun(port) as raw:
        for _ in range(6):
            await raw.send(PingFrame(0, b"12345678"))
            await raw.until(lambda: raw.outcome.goaway is not None, 0.1)
        await ended_within(raw, 3)
        assert raw.outcome.goaway == CALMER


async def test_metadata_at_the_boundary() -> None:
    """16 KiB of headers are taken, as HTTP/2 counts them; a byte more is refused with a status."""
    bare = sum(len(key) + len(value) + 32 for key, value in request_headers(FOLLOW_PATH))
    room = Limits().metadata_bytes - bare - len("x-more") - 32
    async with serving() as port, begun(port) as raw:
        for stream, more in ((1, room), (3, room + 1)):
            headers = request_headers(FOLLOW_PATH, ("x-more", "x" * more))
            await raw.call(stream, grpc_frame(FOLLOW.SerializeToString()), headers)
            await raw.until(partial(_answered, raw, stream), 0.5)
        assert await raw.until(lambda: raw.of(3).status is not None, 10)
        assert raw.of(3).status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert await raw.until(lambda: raw.of(1).messages, 3)


@pytest.mark.parametrize("packing", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_compressed_requests(packing: grpc.Compression) -> None:
    """They are refused before they are unpacked, by a code that names it."""
    async with serving() as port:
        address = f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(address, compression=packing) as channel:
            stub: Any = stubs.EventServiceStub(channel)
            large = pb.UpdateFollowRequest(follow_id="x" * 10_000)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.UpdateFollow(large, timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_connections_leave_files_for_the_store() -> None:
    """Fewer connections are allowed than the process may have files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
        most = allowed_connections()
        now, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert most <= now - OWN_FILES
        assert now == min(4000 + OWN_FILES, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_document_says_the_same() -> None:
    """Each limit stands in the operators' table, with its figure."""
    text = DOCUMENT.read_text()
    limits = Limits()
    rows = dict(line.split("|")[1:3] for line in text.splitlines() if line.count("|") > 3)
    figures = {name.strip().strip("`"): figure.strip() for name, figure in rows.items()}
    for name in Limits.__dataclass_fields__:
        value = getattr(limits, name)
        assert float(figures[name].split()[0]) == value, name
