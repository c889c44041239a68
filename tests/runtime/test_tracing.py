"""The instrumentation of OpenTelemetry sees RPCs and does not stand in their way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from antiphon.events.v1 import event_service_pb2 as pb
from antiphon.events.v1 import event_service_pb2_grpc as stubs
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.tracing import TracingInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.telemetry.tracing import start_tracing
from tests.e2e.until import SOON_S, until
from tests.runtime.events_service import HEAD, Events, on_a_port, read


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def stub(spans: InMemorySpanExporter, events: Events) -> AsyncIterator[Any]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    interceptors = [TracingInterceptor(provider), ErrorInterceptor(), ValidationInterceptor()]
    table = LocalServer(interceptors)
    stubs.add_EventServiceServicer_to_server(events, table)
    events.inner = stubs.EventServiceStub(table.channel())
    async with on_a_port(table) as channel:
        yield stubs.EventServiceStub(channel)
    provider.shutdown()


async def ended(spans: InMemorySpanExporter) -> Any:
    """The one span that has ended."""
    await until(lambda: bool(spans.get_finished_spans()), SOON_S)
    [span] = spans.get_finished_spans()
    return span


async def test_an_rpc_is_a_span(stub: Any, spans: InMemorySpanExporter) -> None:
    """It carries the method's name and continues the caller's trace; inner calls belong to it."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    metadata = (("traceparent", f"00-{trace}-b7ad6b7169203331-01"),)
    await stub.ReadEvents(read("inner"), metadata=metadata)
    span = await ended(spans)
    assert span.name == "/antiphon.events.v1.EventService/ReadEvents"
    assert f"{span.context.trace_id:032x}" == trace


async def test_an_error_is_in_the_span(stub: Any, spans: InMemorySpanExporter) -> None:
    """The span has the status code, and the client the error's details."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ReadEvents(read("missing"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "grpc-status-details-bin" in (caught.value.trailing_metadata() or {})
    assert (await ended(spans)).attributes["rpc.grpc.status_code"] == 5


async def test_a_stream_is_a_span(stub: Any, spans: InMemorySpanExporter) -> None:
    """Handlers that read and write work under the instrumentation."""
    frames = [frame async for frame in stub.Subscribe(iter([]))]
    assert frames == []
    assert (await ended(spans)).name.endswith("Subscribe")


async def test_cancellation_passes_through(
    stub: Any, spans: InMemorySpanExporter, events: Events
) -> None:
    """A cancelled call and a cancelled stream end their handlers and their spans."""
    call = asyncio.ensure_future(stub.ReadEvents(read("hangs")))
    await events.begun.wait()
    call.cancel()
    await asyncio.wait_for(events.ended.wait(), SOON_S)
    await ended(spans)
    spans.clear()
    events.ended.clear()
    watch = {"watch_id": "w", "scope": HEAD.scope}
    stream = stub.Follow(pb.FollowRequest(watches=[watch]))  # type: ignore[list-item]
    await stream.read()
    stream.cancel()
    await asyncio.wait_for(events.ended.wait(), SOON_S)
    await ended(spans)


def test_tracing_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an endpoint nothing is imported or started."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert start_tracing() is None
