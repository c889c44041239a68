"""The gRPC server of a process: the registered services on a port."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon_server.runtime.interceptors.validation import Oversize, Undecodable
from antiphon_server.runtime.methods import (
    Behaviour,
    Context,
    Handler,
    MethodTable,
    Resolved,
    handler_of,
)

MIB = 1 << 20
SETTLE_S = 5.0
"""How long handlers that were aborted may take to end."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Limits of the transport. Connections live on unless ``max_age_s`` is set."""

    max_message_bytes: int = 4 * MIB
    max_metadata_bytes: int = 16 << 10
    max_streams_per_connection: int = 1000
    client_ping_s: float = 10.0
    keepalive_s: float = 60.0
    keepalive_timeout_s: float = 20.0
    max_age_s: float | None = None
    max_age_grace_s: float = 30.0
    credentials: grpc.ServerCredentials | None = None

    def arguments(self) -> list[tuple[str, int]]:
        """The same as gRPC's channel arguments."""
        arguments = [
            ("grpc.so_reuseport", 0),
            # Larger than what is accepted: the transport's own refusal has no ErrorInfo.
            ("grpc.max_receive_message_length", 2 * self.max_message_bytes),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_metadata_size", self.max_metadata_bytes),
            ("grpc.absolute_max_metadata_size", self.max_metadata_bytes),
            ("grpc.max_concurrent_streams", self.max_streams_per_connection),
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_s * 1000)),
            ("grpc.keepalive_permit_without_calls", 1),
            # Half of what clients may do, because pings arrive with jitter.
            ("grpc.http2.min_ping_interval_without_data_ms", int(self.client_ping_s * 500)),
        ]
        if self.max_age_s is not None:  # the grace is endless unless it is set too
            arguments += [
                ("grpc.max_connection_age_ms", int(self.max_age_s * 1000)),
                ("grpc.max_connection_age_grace_ms", int(self.max_age_grace_s * 1000)),
            ]
        return arguments


class CannotListen(Exception):
    """The address is taken, or is not one of this machine's."""

    def __init__(self, address: str) -> None:
        super().__init__(f"can't listen on {address}: it is in use or not available here")
        self.address = address


class Server:
    """Serves the methods of a table over sockets.

    A handler may answer with a message or with its bytes, serialised already.
    """

    def __init__(self, table: MethodTable, options: ServerOptions | None = None) -> None:
        self._table = table
        self._options = options or ServerOptions()
        self._running: set[asyncio.Task[Any]] = set()
        self._server = grpc.aio.server(options=self._options.arguments())
        most_bytes = self._options.max_message_bytes
        self._server.add_generic_rpc_handlers((_Handlers(table, self._running, most_bytes),))

    @property
    def running(self) -> int:
        """How many RPCs are being handled."""
        return len(self._running)

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port, which is chosen if ``port`` is 0.

        Raises CannotListen, and UndeclaredAccess if a contract is incomplete.
        """
        self._table.prepare()
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = self._bind(address)
        except RuntimeError as error:
            raise CannotListen(address) from error
        await self._server.start()
        return bound

    def _bind(self, address: str) -> int:
        if self._options.credentials is not None:
            return self._server.add_secure_port(address, self._options.credentials)
        return self._server.add_insecure_port(address)

    async def stop(self, grace: float | None) -> None:
        """Refuse new RPCs, give running ones ``grace`` seconds, and await every handler.

        gRPC's own stop returns before handlers that it aborted have ended.
        """
        await self._server.stop(grace)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=SETTLE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class _Handlers(grpc.GenericRpcHandler):
    """Finds methods for grpc.aio, each prepared for the wire once."""

    def __init__(
        self, table: MethodTable, running: set[asyncio.Task[Any]], most_bytes: int
    ) -> None:
        self._table = table
        self._running = running
        self._most_bytes = most_bytes
        self._prepared: dict[Resolved, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        resolved = self._table.resolve(handler_call_details.method)
        handler = self._prepared.get(resolved)
        if handler is None:
            handler = self._prepared[resolved] = handler_of(
                resolved.method,
                _tracked(resolved.behaviour, self._running),
                _forgiving(resolved.deserialize, self._most_bytes)
                if resolved.deserialize
                else None,
                _serialized,
            )
        return handler


def _tracked(inner: Behaviour, running: set[asyncio.Task[Any]]) -> Behaviour:
    async def call(request: Any, context: Context) -> Any:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            return await inner(request, context)
        finally:
            running.discard(task)

    return call


def _serialized(message: Any) -> bytes:
    if type(message) is bytes:
        return message
    data: bytes = message.SerializeToString()
    return data


def _forgiving(deserialize: Callable[[bytes], Any], most_bytes: int) -> Callable[[bytes], Any]:
    """Let validation refuse what is too large or can't be decoded.

    gRPC would answer with no details, or with the exception's text.
    """

    def decode(raw: bytes) -> Any:
        if len(raw) > most_bytes:
            return Oversize(most_bytes)
        try:
            return deserialize(raw)
        except Exception:
            return Undecodable()

    return decode
