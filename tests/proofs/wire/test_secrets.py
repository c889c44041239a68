"""What an exception says stays inside, whichever handler raises it and whatever it is."""

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc
import pytest
from google.protobuf.message import DecodeError

from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.rpc.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.rpc.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.rpc.methods import MethodInterceptor
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from tests.e2e.contracts import Rpc, declared_rpcs
from tests.proofs.wire.raw import Outcome, begun, grpc_frame, request_headers

CANARY = "canary-7f3a"
RPCS = declared_rpcs()


def _of_peer() -> grpc.aio.AioRpcError:
    """What a stub raises for an error of another server's."""
    trailers = grpc.aio.Metadata(("x-canary", CANARY))
    return grpc.aio.AioRpcError(grpc.StatusCode.UNKNOWN, trailers, trailers, CANARY, CANARY)


def _domain() -> DomainError:
    error = DomainError(Reason.INVALID_ARGUMENT)
    error.__cause__ = ValueError(CANARY)
    error.__context__ = error.__cause__
    error.add_note(CANARY)
    return error


class Talkative(Exception):
    """Says it whichever way it is asked."""

    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__


FAILURES: dict[str, Callable[[], BaseException]] = {
    "a value": lambda: ValueError(CANARY),
    "a key": lambda: KeyError(CANARY),
    "a file": lambda: FileNotFoundError(2, CANARY, CANARY),
    "the operating system": lambda: ConnectionError(CANARY),
    "decoding": lambda: DecodeError(CANARY),
    "another server": _of_peer,
    "not implemented": lambda: NotImplementedError(CANARY),
    "a group": lambda: ExceptionGroup(CANARY, [ValueError(CANARY)]),
    "text": lambda: UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
    "usage": lambda: grpc.aio.UsageError(CANARY),
    "an assertion": lambda: AssertionError(CANARY),
    "a time": lambda: TimeoutError(CANARY),
    "a domain error's cause": _domain,
    "talkative": Talkative,
}


def failing(rpc: Rpc, failure: Callable[[], BaseException]) -> Any:
    """A handler of that RPC's kind, which fails."""

    async def one(_request: Any, _context: Any) -> Any:
        raise failure()

    async def many(_request: Any, context: Any) -> None:
        await context.write(b"")
        raise failure()

    make: Any = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[rpc.method.client_streaming, rpc.method.server_streaming]
    behaviour = many if rpc.method.server_streaming else one
    return make(behaviour, rpc.request_type.FromString, None)


@asynccontextmanager
async def broken(
    failure: Callable[[], BaseException], guards: Sequence[MethodInterceptor]
) -> AsyncIterator[int]:
    """A server of all contracts in which every handler fails; its port."""
    table = LocalServer(guards)
    for rpc in RPCS:
        service = str(rpc.method.containing_service.full_name)
        table.add_registered_method_handlers(service, {rpc.method.name: failing(rpc, failure)})
    server = Server(table)
    port = await server.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await server.stop(0)


async def told(port: int) -> dict[str, str]:
    """All that every RPC of the server says, as it is on the wire."""
    said = {}
    async with begun(port) as raw:
        for stream, rpc in enumerate(RPCS):
            of = raw.of(2 * stream + 1)
            await raw.call(2 * stream + 1, grpc_frame(), request_headers(rpc.path))
            assert await raw.until(partial(_ended, of), 10)
            details = of.trailers.get("grpc-status-details-bin", "")
            said[rpc.path] = f"{of.trailers} {unpacked(details)!r}"
    return said


def _ended(of: Outcome) -> bool:
    return of.status is not None


def unpacked(details: str | bytes) -> bytes:
    """Binary trailers are in base64, without its padding."""
    data = details.encode() if isinstance(details, str) else details
    return base64.b64decode(data + b"=" * (-len(data) % 4))


@pytest.mark.parametrize("name", FAILURES)
async def test_no_exception_says_anything(name: str) -> None:
    """Of every RPC: neither its message, nor its headers, nor its trailers hold the canary."""
    guards = [TelemetryInterceptor(RpcMetrics()), ErrorInterceptor()]
    async with broken(FAILURES[name], guards) as port:
        said = await told(port)
    assert [path for path, words in said.items() if CANARY in words] == []
    assert all("ERROR_REASON" not in words and "antiphon" in words for words in said.values())


async def test_it_would_be_seen() -> None:
    """Without the guard that turns exceptions into statuses, gRPC tells it to everybody."""
    async with broken(FAILURES["a value"], []) as port:
        said = await told(port)
    assert all(CANARY in words for words in said.values())
