"""The gRPC server of a process: the registered services on a port."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import grpc

from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.rpc.interceptors.errors import refuse
from antiphon_server.runtime.rpc.interceptors.validation import Oversize, Undecodable
from antiphon_server.runtime.rpc.limits import Limits
from antiphon_server.runtime.rpc.methods import (
    Behaviour,
    Context,
    Handler,
    MethodTable,
    Resolved,
    handler_of,
)
from antiphon_server.runtime.rpc.slow_requests import SlowRequests

SETTLE_S = 5.0
"""How long handlers that were aborted may take to end."""
RETRY_AFTER_S = 1.0
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_HEALTH_WATCH = "/grpc.health.v1.Health/Watch"


class CannotListen(Exception):
    """The address is in use, or does not belong to this machine. ``setting`` names its setting."""

    def __init__(self, address: str, setting: str = "") -> None:
        super().__init__(f"can't listen on {address}: it is in use or not available here")
        self.address = address
        self.setting = setting


class Server:
    """Serves a table of methods over sockets.

    A handler may return a message, or its serialized bytes. ``called`` is told from which
    connection each call comes, by its peer.
    """

    def __init__(
        self,
        table: MethodTable,
        limits: Limits | None = None,
        credentials: grpc.ServerCredentials | None = None,
        called: Callable[[str], None] | None = None,
    ) -> None:
        self._table = table
        self._credentials = credentials
        limits = limits or Limits()
        self._running: set[asyncio.Task[Any]] = set()
        self._server = grpc.aio.server(options=limits.arguments())
        self._slow = SlowRequests(limits.request_s, limits.rpcs)
        handlers = _Handlers(table, self._running, limits, self._slow, called)
        self._server.add_generic_rpc_handlers((handlers,))

    @property
    def running(self) -> int:
        """How many RPCs are being handled."""
        return len(self._running)

    async def start(self, host: str, port: int, *more_ports: int) -> int:
        """Start listening and return the port. With ``port`` 0 the system picks one.

        Raises CannotListen, and UndeclaredAccess if a contract is incomplete.
        """
        self._table.prepare()
        bound = self._bind(host, port)
        for each in more_ports:
            self._bind(host, each)
        await self._server.start()
        return bound

    def _bind(self, host: str, port: int) -> int:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if self._credentials is not None:
                return self._server.add_secure_port(address, self._credentials)
            return self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise CannotListen(address) from error

    async def stop(self, grace: float | None) -> None:
        """Refuse new RPCs, give running ones ``grace`` seconds, and await every handler.

        gRPC's own stop returns before the handlers that it aborted have ended.
        """
        await self._server.stop(grace)
        self._slow.stop()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=SETTLE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class _Handlers(grpc.GenericRpcHandler):
    """Finds methods for grpc.aio, each prepared for the wire once."""

    def __init__(
        self,
        table: MethodTable,
        running: set[asyncio.Task[Any]],
        limits: Limits,
        slow: SlowRequests,
        called: Callable[[str], None] | None,
    ) -> None:
        self._table = table
        self._slow = slow
        self._called = called
        self._running = running
        self._limits = limits
        self._counted: set[asyncio.Task[Any]] = set()
        self._checks: set[asyncio.Task[Any]] = set()
        self._health_watches: set[asyncio.Task[Any]] = set()
        self._prepared: dict[Resolved, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        resolved = self._table.resolve(handler_call_details.method)
        handler = self._prepared.get(resolved)
        if handler is None:
            # Of those with one request, too, the request is read here.
            handler = self._prepared[resolved] = handler_of(
                replace(resolved.method, request_streaming=True),
                self._tracked(resolved)
                if resolved.method.request_streaming
                else self._asked(self._tracked(resolved)),
                _readable(resolved.deserialize, self._limits.message_bytes)
                if resolved.deserialize
                else None,
                _serialized,
            )
        return handler

    def _tracked(self, resolved: Resolved) -> Behaviour:
        """Its behaviour, unless too many run; whoever checks the health is always told."""
        inner, running, called = resolved.behaviour, self._running, self._called
        counted, most = self._room(resolved.method.name)

        async def call(request: Any, context: Context) -> Any:
            if called is not None:
                called(context.peer())
            if len(counted) >= most:
                await refuse(context, _too_many())
            task = asyncio.current_task()
            assert task is not None
            running.add(task)
            counted.add(task)
            try:
                return await inner(request, context)
            finally:
                running.discard(task)
                counted.discard(task)

        return call

    def _asked(self, inner: Behaviour) -> Behaviour:
        """Begin with the one request that there is to be.

        grpc.aio never answers a call that ends without one, as if nobody waited for that.
        """
        running = self._running

        async def call(_: Any, context: Context) -> Any:
            task = asyncio.current_task()
            assert task is not None
            running.add(task)  # a stop waits for it, too
            try:
                request = await self._slow.read(context)
            except DomainError as error:
                await refuse(context, error)
            finally:
                running.discard(task)
            if request is grpc.aio.EOF:
                await refuse(context, invalid("", "The call has no request."))
            return await inner(request, context)

        return call

    def _room(self, name: str) -> tuple[set[asyncio.Task[Any]], float]:
        """Those that count against a call's limit, and the limit."""
        if name == _HEALTH_CHECK:
            return self._checks, math.inf
        if name == _HEALTH_WATCH:
            return self._health_watches, self._limits.health_watches
        return self._counted, self._limits.rpcs


def _too_many() -> DomainError:
    return DomainError(Reason.OVERLOADED, resource="server", retry_after=RETRY_AFTER_S)


def _serialized(message: Any) -> bytes:
    if type(message) is bytes:
        return message
    data: bytes = message.SerializeToString()
    return data


def _readable(deserialize: Callable[[bytes], Any], most_bytes: int) -> Callable[[bytes], Any]:
    """Read a request, and let validation refuse what can't be read.

    Of what is too large or can't be decoded, gRPC would tell no details, or the exception's
    text.
    """

    def decode(raw: bytes) -> Any:
        if len(raw) > most_bytes:
            return Oversize(most_bytes)
        try:
            return deserialize(raw)
        except Exception:
            return Undecodable()

    return decode
