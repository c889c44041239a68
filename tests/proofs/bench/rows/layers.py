"""What each interceptor adds to a bare unary call, over the wire and over the local channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
from opentelemetry.sdk.trace import TracerProvider

from antiphon.context.v1.context_service_pb2 import PostMessageRequest
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
)
from antiphon.context.v1.message_pb2 import Part
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.rpc.interceptors.access import AccessInterceptor
from antiphon_server.runtime.rpc.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.interceptors.tracing import TracingInterceptor
from antiphon_server.runtime.rpc.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.rpc.methods import MethodInterceptor
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.runtime.telemetry.logs import configure_logging
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, median, paired
from tests.proofs.bench.floors import unary
from tests.proofs.bench.loads.client import Target
from tests.proofs.bench.loads.http2 import Connection, connect
from tests.proofs.bench.loads.steps import POST
from tests.proofs.bench.rows.known import Known, known_caller

CLIENTS = 4
CALLS = 300
SLICES = 8
US = 1e6
Caller = Callable[[], Awaitable[None]]
"""Makes CALLS calls."""


async def layers(bench: Bench) -> list[Figure]:
    """The process's time a call, first bare, then with one interceptor more each time."""
    configure_logging("warning")
    async with known_caller(bench) as known, AsyncExitStack() as stack:
        stacks = _stacks(known)
        tables = [table_of(interceptors) for interceptors in stacks.values()]
        canned = await stack.enter_async_context(bench.canned(1))
        ports = [await stack.enter_async_context(_bare())]
        ports += [await stack.enter_async_context(_serving(table)) for table in tables]
        addresses = [canned.line, *(f"127.0.0.1:{port}" for port in ports)]
        callers = [await stack.enter_async_context(_wire(one, known)) for one in addresses]
        client, *wire = await rounds(bench, callers)
        here = await rounds(bench, [local(table, known) for table in tables])
    names = list(stacks)
    # What the client in this process takes is not the server's.
    wire = [[it - own for it, own in zip(one, client, strict=True)] for one in wire]
    return [
        *_figures("wire", ["bare grpc.aio", *names], wire),
        *_figures("local channel", names, here),
    ]


async def rounds(bench: Bench, callers: Sequence[Caller]) -> list[list[float]]:
    """Processor time a call of each caller, round by round: the median of slices in turn."""
    took: list[list[float]] = [[] for _ in callers]
    for _ in range(bench.rounds):
        slices: list[list[float]] = [[] for _ in callers]
        for _ in range(SLICES):
            for at, call in enumerate(callers):
                begun = time.process_time()
                await call()
                slices[at].append((time.process_time() - begun) / CALLS)
        for at, found in enumerate(slices):
            took[at].append(median(found))
    return took


def _stacks(known: Known) -> dict[str, list[MethodInterceptor]]:
    """The interceptors as the server orders them, one more each time."""
    added: dict[str, MethodInterceptor] = {
        "telemetry": TelemetryInterceptor(RpcMetrics(), every_call=False),
        "errors": ErrorInterceptor(),
        "authentication": AuthenticationInterceptor(known.verifier),
        "validation": ValidationInterceptor(),
        "access": AccessInterceptor(known.policy),
    }
    stacks: dict[str, list[MethodInterceptor]] = {"our server": []}
    for name in added:
        stacks[f"+ {name}"] = [*list(stacks.values())[-1], added[name]]
    outermost = TracingInterceptor(TracerProvider())
    stacks["+ tracing"] = [outermost, *list(stacks.values())[-1]]
    return stacks


def table_of(interceptors: Sequence[MethodInterceptor]) -> LocalServer:
    """A server of a bare unary call behind these."""
    table = LocalServer(interceptors)
    table.add_registered_method_handlers(
        "antiphon.context.v1.ContextService", {"PostMessage": unary.method()}
    )
    return table


@asynccontextmanager
async def _bare() -> AsyncIterator[int]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    unary.add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(0)


@asynccontextmanager
async def _serving(table: LocalServer) -> AsyncIterator[int]:
    server = Server(table)
    yield await server.start("127.0.0.1", 0)
    await server.stop(0)


@asynccontextmanager
async def _wire(address: str, known: Known) -> AsyncIterator[Caller]:
    """Calls over sockets, a few at once, by the lean client."""
    target = Target(address, 0, known.token)
    connections = [await connect(target, POST) for _ in range(CLIENTS)]
    body = _request(known).SerializeToString()

    async def some(connection: Connection) -> None:
        for _ in range(CALLS // CLIENTS):
            await connection.stream(_unread, body).done

    async def call() -> None:
        await asyncio.gather(*(some(connection) for connection in connections))

    yield call
    for connection in connections:
        connection.close()


def local(table: LocalServer, known: Known) -> Caller:
    """Calls without a socket."""
    stub: Any = ContextServiceStub(table.channel())
    request = _request(known)

    async def call() -> None:
        for _ in range(CALLS):
            await stub.PostMessage(request, metadata=known.metadata)

    return call


def _request(known: Known) -> PostMessageRequest:
    return PostMessageRequest(conversation_id=known.conversation, parts=[Part(text="word " * 8)])


def _unread(_: bytes) -> None:
    """The answer's content is not what is measured."""


def _figures(where: str, names: Sequence[str], took: Sequence[Sequence[float]]) -> list[Figure]:
    """The first whole, then what each adds to the one before, then all beside the first."""
    figures = [paired(f"{where}: {names[0]}", "us a call", in_us(took[0]))]
    for name, before, after in zip(names[1:], took[:-1], took[1:], strict=True):
        more = [b - a for a, b in zip(before, after, strict=True)]
        figures.append(paired(f"{where}: {name}", "us more", in_us(more)))
    whole = paired(f"{where}: all of them", "us a call", in_us(took[-1]), in_us(took[0]))
    return [*figures, whole]


def in_us(seconds: Sequence[float]) -> list[float]:
    """The same in microseconds."""
    return [one * US for one in seconds]
