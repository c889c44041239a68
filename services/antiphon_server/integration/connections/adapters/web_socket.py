"""A WebSocket by aiohttp: guarded, signed, neither compressed nor redirected, and bounded."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import WSMsgType

from antiphon_server.integration.connections.adapters.signing import signature
from antiphon_server.integration.connections.faults import (
    Cause,
    Fault,
    answered,
    fault_of,
    unreachable,
)
from antiphon_server.integration.connections.model import Connection, Message, WebSocket
from antiphon_server.integration.connections.ports import LOST, SocketClosed
from antiphon_server.integration.secrets.ports import Secrets
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.net.egress.connector import GuardedConnector
from antiphon_server.runtime.net.egress.dialling import CONNECT_TIMEOUT_S, Dialler

if TYPE_CHECKING:
    from aiohttp.client_middlewares import ClientHandlerType

MOST_SOCKETS = 64
"""Of one connection on this server; one more waits."""
CLOSING_S = 1.0


class Sockets:
    """Opens the WebSockets of one connection."""

    def __init__(self, connection: Connection, secrets: Secrets, dialler: Dialler) -> None:
        self._connection, self._secrets = connection, secrets
        self._session = aiohttp.ClientSession(
            connector=GuardedConnector(dialler, limit=MOST_SOCKETS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "antiphon"},
            middlewares=(_upgraded,),
            trust_env=False,
        )

    async def open(self) -> "AiohttpSocket":
        """A WebSocket, by the secret as it is now.

        Raises DomainError CONNECTION_UNAVAILABLE, EGRESS_DENIED, and NOT_FOUND for the secret.
        """
        target, limits = self._connection.target, self._connection.limits
        assert isinstance(target, WebSocket)
        signed = await signature(self._connection, self._secrets)
        protocols = (target.subprotocol,) if target.subprotocol else ()
        with self._failures():
            async with asyncio.timeout(limits.open_s):
                opened = await self._session.ws_connect(
                    target.url,
                    headers=signed,
                    protocols=protocols,
                    autoping=False,
                    compress=0,
                    max_msg_size=limits.max_bytes,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING_S),
                )
        socket = AiohttpSocket(opened)
        if (opened.protocol or "") != target.subprotocol:
            await socket.close()
            raise unreachable(self._connection.name, Fault(Cause.NOT_THE_PROTOCOL))
        return socket

    async def close(self) -> None:
        """Close what is open."""
        await self._session.close()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError too
            status = error.status if isinstance(error, NotUpgraded) else 0
            fault = answered(status) if status else fault_of(error)
            raise _refusal(error) or unreachable(self._connection.name, fault) from error


class NotUpgraded(aiohttp.ClientConnectionError):
    """It answered by HTTP, with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with {status}")
        self.status = status


class AiohttpSocket:
    """See :class:`~antiphon_server.integration.connections.ports.Socket`."""

    def __init__(self, opened: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._opened = opened
        self._pings: dict[bytes, asyncio.Future[None]] = {}
        self._pinged = 0

    async def send(self, message: Message) -> None:
        """See :class:`~antiphon_server.integration.connections.ports.Socket`."""
        with _closings():
            if isinstance(message, str):
                await self._opened.send_str(message)
            else:
                await self._opened.send_bytes(message)

    async def receive(self) -> Message:
        """See :class:`~antiphon_server.integration.connections.ports.Socket`."""
        with _closings():
            while True:
                told = await self._opened.receive()
                if told.type is WSMsgType.TEXT or told.type is WSMsgType.BINARY:
                    data: Message = told.data
                    return data
                if told.type is WSMsgType.PING:
                    await self._opened.pong(told.data)
                elif told.type is WSMsgType.PONG:
                    self._ponged(bytes(told.data))
                else:
                    code = self._opened.close_code
                    reason = told.extra if told.type is WSMsgType.CLOSE else ""
                    raise self._ended(SocketClosed(code or LOST, reason or ""))

    async def ping(self) -> None:
        """See :class:`~antiphon_server.integration.connections.ports.Socket`."""
        self._pinged += 1
        said = str(self._pinged).encode()
        ponged = self._pings[said] = asyncio.get_running_loop().create_future()
        try:
            with _closings():
                await self._opened.ping(said)
            await ponged
        finally:
            del self._pings[said]

    async def close(self) -> None:
        """See :class:`~antiphon_server.integration.connections.ports.Socket`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await self._opened.close()

    def _ended(self, closed: SocketClosed) -> SocketClosed:
        for waiting in self._pings.values():
            if not waiting.done():
                waiting.set_exception(closed)
        return closed

    def _ponged(self, said: bytes) -> None:
        waiting = self._pings.get(said)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


async def _upgraded(
    request: aiohttp.ClientRequest, handler: "ClientHandlerType"
) -> aiohttp.ClientResponse:
    """Take no answer but a WebSocket: aiohttp would follow redirects."""
    response = await handler(request)
    if response.status != 101:
        response.close()
        raise NotUpgraded(response.status)
    return response


@contextlib.contextmanager
def _closings() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        raise SocketClosed(LOST) from error


def _refusal(error: BaseException | None) -> DomainError | None:
    """Egress's own word within what a library has made of it."""
    while error is not None:
        if isinstance(error, DomainError):
            return error
        error = error.__cause__
    return None
