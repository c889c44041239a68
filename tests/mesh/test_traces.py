"""One trace of a call, whoever carries it: the edge and the server, told to a real collector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as collector_stubs
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1 import auth_service_pb2_grpc as auth_stubs
from antiphon_server.mesh.model import Address, Edge
from tests.e2e.server import ServerProcess
from tests.e2e.until import SOON_S, until
from tests.mesh.world import HOST, envoy_before

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
METHOD = "/antiphon.auth.v1.AuthService/ListLoginMethods"

Servicer: Any = collector_stubs.TraceServiceServicer


class Collector(Servicer):  # type: ignore[misc]
    """Keeps the spans that it is sent, by the service that tells of them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    async def Export(self, request: pb.ExportTraceServiceRequest, context: Any) -> Any:
        for of_one in request.resource_spans:
            names = {each.key: each.value.string_value for each in of_one.resource.attributes}
            for scope in of_one.scope_spans:
                self.spans += [(names["service.name"], span) for span in scope.spans]
        return pb.ExportTraceServiceResponse()

    def of(self, service: str, trace: str) -> Span | None:
        """A service's first span of a trace."""
        wanted = bytes.fromhex(trace)
        return next((it for by, it in self.spans if by == service and it.trace_id == wanted), None)


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[Collector, int]]:
    """One that serves, and its port."""
    server, servicer = grpc.aio.server(), Collector()
    register: Any = collector_stubs.add_TraceServiceServicer_to_server
    register(servicer, server)
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    try:
        yield servicer, port
    finally:
        await server.stop(0)


async def test_a_call_is_one_trace(tmp_path: Path) -> None:
    """The caller's span is the parent of the edge's, which is the parent of the server's."""
    async with collector() as (seen, port):
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        edge = Edge(Address(HOST, 0), traces=Address(HOST, port))
        async with (
            ServerProcess(tmp_path, variables=told) as server,
            envoy_before(server.port, edge, tmp_path, grace_s=0.2) as envoy,
        ):
            async with grpc.aio.insecure_channel(f"{HOST}:{envoy.port}") as channel:
                await call(channel)
            await until(lambda: seen.of("antiphon", TRACE) is not None, SOON_S)
            await until(lambda: seen.of("antiphon-edge", TRACE) is not None, SOON_S)
    at_edge, at_server = seen.of("antiphon-edge", TRACE), seen.of("antiphon", TRACE)
    assert at_edge is not None
    assert at_server is not None
    assert at_edge.parent_span_id == bytes.fromhex(CALLER)
    assert at_server.parent_span_id == at_edge.span_id
    assert at_edge.name == METHOD


async def call(channel: grpc.aio.Channel) -> None:
    """Ask how one can log in, as part of a span of one's own."""
    stub: Any = auth_stubs.AuthServiceStub(channel)
    metadata = [("traceparent", f"00-{TRACE}-{CALLER}-01")]
    await stub.ListLoginMethods(auth_pb.ListLoginMethodsRequest(), metadata=metadata, timeout=10)
