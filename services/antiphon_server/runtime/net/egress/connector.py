"""Egress for aiohttp: requests and WebSockets, each hop and each pooled connection."""

import asyncio
import errno
import select
import socket
from contextvars import ContextVar
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from antiphon_server.runtime.errors.domain_error import DomainError
from antiphon_server.runtime.net.egress.dialling import Dialler

_host: ContextVar[str] = ContextVar("egress host")


class _Resolver(AbstractResolver):
    """Looks names up by a dialler, which checks every address."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See :class:`aiohttp.abc.AbstractResolver`."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._dialler.vetted(host, port)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


class _Handler(ResponseHandler):
    """One socket's side of HTTP."""

    _before = False

    def close(self) -> None:
        """Close it now: what its server has not taken by now is not kept for it."""
        if self.transport is not None and self.transport.get_write_buffer_size():
            self.abort()
        else:
            super().close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the body of its answer, too: aiohttp leaves one open whose chunks are garbled."""
        body = self._payload
        super().connection_lost(exc)
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError("the connection has ended"))

    def spent(self) -> bool:
        """Whether it was used before, and its server has closed it or has spoken unasked since.

        What was said unasked would count as the answer to the next request.
        """
        before, self._before = self._before, True
        return before and (self.should_close or self._readable())

    def _readable(self) -> bool:
        assert self.transport is not None
        waiting = select.poll()
        waiting.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return bool(waiting.poll(0))


def _handler(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Handler(loop)


class GuardedConnector(aiohttp.TCPConnector):
    """Connects where a policy allows. Raises DomainError EGRESS_DENIED.

    aiohttp asks no resolver for addresses, and keeps what names came to for a while: so each
    request is checked, and once more the address of each socket, right before it connects.
    A connection that its server has closed by now is not used again: what is sent there is lost.
    """

    def __init__(self, dialler: Dialler, **options: Any) -> None:
        super().__init__(
            resolver=_Resolver(dialler), socket_factory=self._checked_socket, **options
        )
        self._policy = dialler.policy
        self._factory = partial(_handler, self._loop)

    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """See :class:`aiohttp.BaseConnector`."""
        host = req.url.raw_host or ""
        self._policy.check_host(host)
        token = _host.set(host)
        try:
            while _spent(found := await super().connect(req, traces, timeout)):
                found.close()
            return found
        except BaseException:
            self._release_waiter()  # aiohttp forgets a free place whose next one goes away instead
            raise
        finally:
            _host.reset(token)

    def _checked_socket(self, address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, where = address
        try:
            self._policy.check_address(_host.get(), where[0])
        except DomainError as error:
            raise OSError(errno.EACCES, str(error)) from error
        return socket.socket(family, kind, protocol)


def _spent(connection: Connection) -> bool:
    return isinstance(connection.protocol, _Handler) and connection.protocol.spent()
