"""What a call of one process to another connected: ids, traces, credentials, and its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.channels.peer_channel import PeerChannel
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.interceptors.tracing import TracingInterceptor
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.runtime.telemetry.tracing import Tracing
from tests.e2e.until import SOON_S, until
from tests.runtime.events_service import Events, Servicer, on_a_port, read


class Relaying(Servicer):  # type: ignore[misc]
    """Asks the events service of another process, and answers what that does."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._events: Any = stubs.EventServiceStub(channel)

    async def GetHead(self, request: pb.GetHeadRequest, context: Any) -> Any:
        return await self._events.GetHead(request)

    async def ReadEvents(self, request: pb.ReadEventsRequest, context: Any) -> Any:
        return await self._events.ReadEvents(request)


class Hops:
    """Two processes, one behind the other, and the spans of both."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.events = Events()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.spans))

    async def open(self, stack: AsyncExitStack) -> Any:
        """A stub of the first one."""
        behind = await self.channel(self.events, stack)
        peer = PeerChannel(behind, Tracing(self.provider).headers)
        return stubs.EventServiceStub(await self.channel(Relaying(peer), stack))

    async def channel(self, servicer: Any, stack: AsyncExitStack) -> grpc.aio.Channel:
        """A channel to a process of its own that serves that."""
        interceptors = [
            TracingInterceptor(self.provider),
            TelemetryInterceptor(RpcMetrics()),
            ErrorInterceptor(),
        ]
        table = LocalServer(interceptors)
        stubs.add_EventServiceServicer_to_server(servicer, table)
        return await stack.enter_async_context(on_a_port(table))


@pytest.fixture
async def hops() -> AsyncIterator[tuple[Hops, Any]]:
    """Both processes, and a stub of the first."""
    made = Hops()
    async with AsyncExitStack() as stack:
        yield made, await made.open(stack)
    made.provider.shutdown()


async def test_one_id_and_one_trace_go_through(hops: tuple[Hops, Any]) -> None:
    """The request id of the caller is the last one's, and all spans are of one trace."""
    made, stub = hops
    answer = await stub.GetHead(pb.GetHeadRequest(), metadata=(("x-request-id", "req_of_mine"),))
    assert answer.cursor == "req_of_mine"
    await until(lambda: len(made.spans.get_finished_spans()) == 2, SOON_S)
    inner, outer = made.spans.get_finished_spans()
    assert inner.context.trace_id == outer.context.trace_id
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id


@pytest.mark.parametrize("end", ["cancelled", "deadline"])
async def test_the_end_of_a_call_goes_through(hops: tuple[Hops, Any], end: str) -> None:
    """A call that is cancelled, or whose deadline passes, ends its work in the other process."""
    made, stub = hops
    call = stub.ReadEvents(read("hangs"), timeout=0.5 if end == "deadline" else None)
    await asyncio.wait_for(made.events.begun.wait(), 30)
    if end == "cancelled":
        call.cancel()
    await asyncio.wait_for(made.events.ended.wait(), 30)


async def test_a_call_s_own_metadata_goes_before(hops: tuple[Hops, Any]) -> None:
    """What a call brings is not replaced by what every call carries."""
    made, _ = hops
    async with AsyncExitStack() as stack:
        behind = await made.channel(made.events, stack)
        peer = PeerChannel(behind, lambda: (("x-request-id", "req_carried"),))
        stub: Any = stubs.EventServiceStub(peer)
        assert (await stub.GetHead(pb.GetHeadRequest())).cursor == "req_carried"
        own = (("x-request-id", "req_of_its_own"),)
        assert (await stub.GetHead(pb.GetHeadRequest(), metadata=own)).cursor == "req_of_its_own"
