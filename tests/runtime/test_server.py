"""The server keeps its limits, and stops in order."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.limits import MIB, Limits
from antiphon_server.runtime.rpc.reflection import V1, V1_ALPHA, register_reflection
from antiphon_server.runtime.rpc.server import CannotListen, Server
from tests.proofs.wire.raw import begun, grpc_frame, request_headers
from tests.runtime.events_service import HEAD, SCOPE, Events, failure, read

INTERNAL = grpc.StatusCode.INTERNAL.value[0]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
async def server(events: Events, health: Health) -> AsyncIterator[Server]:
    table = LocalServer([ErrorInterceptor(), ValidationInterceptor()])
    stubs.add_EventServiceServicer_to_server(events, table)
    health.register(table)
    register_reflection(table)
    server = Server(table)
    yield server
    await server.stop(0)


@pytest.fixture
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    port = await server.start("127.0.0.1", 0)
    limits = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=limits) as channel:
        yield channel


async def test_two_servers_do_not_share_a_port(server: Server, events: Events) -> None:
    """A second one is refused, with the address, rather than given half of the calls."""
    port = await server.start("127.0.0.1", 0)
    table = LocalServer()
    stubs.add_EventServiceServicer_to_server(events, table)
    with pytest.raises(CannotListen, match=f"127.0.0.1:{port}"):
        await Server(table).start("127.0.0.1", port)


async def test_stop_awaits_handlers_that_it_aborted(
    server: Server, channel: grpc.aio.Channel, events: Events
) -> None:
    """A handler that cleans up slowly has ended when stop returns."""
    stub: Any = stubs.EventServiceStub(channel)
    call = stub.ReadEvents(read("slow"))
    await events.begun.wait()
    assert server.running == 1
    await server.stop(0)
    assert events.ended.is_set()
    assert server.running == 0
    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_stop_lets_handlers_end_within_the_grace(
    server: Server, channel: grpc.aio.Channel, events: Events
) -> None:
    """A short call that runs is answered."""
    stub: Any = stubs.EventServiceStub(channel)
    call = stub.ReadEvents(read("brief"))
    await events.begun.wait()
    await server.stop(5)
    assert (await call).cursor == "done"


async def test_garbage_is_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    """Bytes that are no message, or no UTF-8, are refused with a typed error."""
    unary: Any = channel.unary_unary("/antiphon.events.v1.EventService/GetHead")
    for garbage in (b"\xff\xff\xff", b"\x0a\x02\xff\xfe", b"\x0a\x7fshort"):
        error = await failure(unary(garbage))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert domain_error_of(error).reason is Reason.INVALID_ARGUMENT
    stream: Any = channel.stream_stream("/antiphon.events.v1.EventService/Subscribe")
    call = stream(iter([b"\xff\xff\xff"]))
    assert (await failure(call.read())).code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("method", ["GetHead", "Follow"])
@pytest.mark.parametrize("body", [None, b"", grpc_frame(b"x", length=9)])
async def test_a_call_without_its_request_is_refused(
    server: Server, method: str, body: bytes | None
) -> None:
    """It ends at the headers, or later with nothing or a part: an answer comes at once."""
    port = await server.start("127.0.0.1", 0)
    headers = request_headers(f"/antiphon.events.v1.EventService/{method}")
    async with begun(port) as raw:
        if body is None:
            await raw.send(raw.headers(1, headers, "END_HEADERS", "END_STREAM"))
        else:
            await raw.call(1, body, headers)
        came = await raw.refused(10)
    assert came.status in (grpc.StatusCode.INVALID_ARGUMENT.value[0], INTERNAL)


async def test_calls_whose_request_has_not_come_take_nobodys_place(events: Events) -> None:
    """As many as may run may wait so; then who waits longest is given up. A stop ends them."""
    table = LocalServer([ErrorInterceptor()])
    stubs.add_EventServiceServicer_to_server(events, table)
    server = Server(table, Limits(rpcs=2))
    port = await server.start("127.0.0.1", 0)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        begin: Any = channel.stream_unary("/antiphon.events.v1.EventService/GetHead")
        calls = [begin() for _ in range(3)]
        done, open_ = await asyncio.wait([asyncio.ensure_future(call) for call in calls], timeout=1)
        [refused] = done
        assert domain_error_of(await failure(refused)).reason is Reason.OVERLOADED
        assert server.running == 2
        await stubs.EventServiceStub(channel).GetHead(HEAD)
        await server.stop(0)
        assert server.running == 0
        await asyncio.gather(*open_, return_exceptions=True)


async def test_who_hangs_up_at_once_is_no_defect(
    channel: grpc.aio.Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether its request has come or not; others are served."""
    service = stubs.EventServiceStub(channel)
    for number in range(200):
        call = service.ReadEvents(read("waits"))
        await asyncio.sleep(number % 3 / 1000)
        call.cancel()
    await service.GetHead(HEAD)
    assert caplog.text == ""


async def test_oversize_is_refused_at_the_boundary(channel: grpc.aio.Channel) -> None:
    """A message of 4 MiB is read, one byte more is a typed refusal, and the server lives."""
    unary: Any = channel.unary_unary("/antiphon.events.v1.EventService/GetHead")
    fits = pb.GetHeadRequest(scope="x" * (4 * MIB - 5)).SerializeToString()
    assert len(fits) == 4 * MIB
    assert (await failure(unary(fits))).code() is grpc.StatusCode.INVALID_ARGUMENT
    refusal = domain_error_of(await failure(unary(fits + b"x")))
    assert refusal.reason is Reason.LIMIT_EXCEEDED
    assert refusal.metadata == {"limit": f"{4 * MIB} bytes a message"}
    assert (await failure(unary(fits * 3))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    valid = pb.GetHeadRequest(scope=SCOPE).SerializeToString()
    assert await unary(valid) == b""


async def test_oversize_metadata_is_refused(channel: grpc.aio.Channel) -> None:
    """More than 16 KiB of metadata is RESOURCE_EXHAUSTED, and the server lives."""
    stub: Any = stubs.EventServiceStub(channel)
    error = await failure(stub.GetHead(HEAD, metadata=(("x-large", "x" * (16 << 10)),)))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await stub.GetHead(HEAD)


async def test_health_tells_services_parts_and_the_whole(
    channel: grpc.aio.Channel, health: Health
) -> None:
    """The whole serves when it is ready and every part that it needs serves."""
    stub: Any = health_pb2_grpc.HealthStub(channel)

    async def check(name: str = "") -> int:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        return int(answer.status)

    await health.set("store", True)
    await health.set("cache", False, needed=False)
    assert (await check("store"), await check("cache")) == (SERVING, NOT_SERVING)
    await health.ready()
    assert await check() == SERVING
    await health.set("store", False)
    assert await check() == NOT_SERVING
    await health.set("store", True)
    await health.drain()
    await health.set("store", True)
    assert (await check(), await check("store")) == (NOT_SERVING, NOT_SERVING)
    assert (await failure(stub.Check(health_pb2.HealthCheckRequest(service="x")))).code() is (
        grpc.StatusCode.NOT_FOUND
    )


async def test_health_can_be_watched(channel: grpc.aio.Channel, health: Health) -> None:
    """A watcher learns of each change."""
    stub: Any = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="store"))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    await health.set("store", True)
    assert (await watch.read()).status == SERVING
    watch.cancel()


@pytest.mark.parametrize("service", [V1, V1_ALPHA])
async def test_reflection_lists_the_services(channel: grpc.aio.Channel, service: str) -> None:
    """Both versions list what was registered, and describe it."""
    info: Any = channel.stream_stream(
        f"/{service}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    name = "antiphon.events.v1.EventService"
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=name),
    ]
    listed, described = [answer async for answer in info(iter(requests))]
    names = [entry.name for entry in listed.list_services_response.service]
    assert {name, "grpc.health.v1.Health"} <= set(names)
    assert described.file_descriptor_response.file_descriptor_proto
