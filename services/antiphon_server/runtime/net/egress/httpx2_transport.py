"""Egress for libraries that speak HTTP by httpx2, as the SDK of MCP does: aiohttp's, guarded."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx2
import yarl

from antiphon_server.runtime.net.egress.bodies import PACKING, unpacked
from antiphon_server.runtime.net.egress.dialling import CONNECT_TIMEOUT_S, Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.http_pool import HttpPool

MOST_BYTES = 8 * 1024 * 1024
MAX_CONNECTIONS = 16
EVENTS = "text/event-stream"
_ERRORS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx2.ConnectTimeout),
    (TimeoutError, httpx2.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientOSError, httpx2.ReadError),
    (aiohttp.ClientError, httpx2.RemoteProtocolError),
)
"""What aiohttp raises, and its name in httpx2; the first that fits counts."""


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        name = next(name for kind, name in _ERRORS if isinstance(error, kind))
        raise name(str(error)) from error


class _Body(httpx2.AsyncByteStream):
    """An answer's body, unpacked and bounded."""

    def __init__(self, answer: aiohttp.ClientResponse, packing: str, most: int | None) -> None:
        self._answer, self._packing, self._most = answer, packing, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _named():
            async for piece in unpacked(self._answer.content.iter_any(), self._packing, self._most):
                yield piece

    async def aclose(self) -> None:
        self._answer.close()


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Requests to where a policy allows, each hop and each pooled connection by itself.

    Bodies are unpacked here, and bounded to ``most`` bytes then (bodies.BodyTooLarge); streams of
    events have no end and no bound in all. Whom this machine trusts is trusted, unless ``trust``
    says otherwise. Raises DomainError EGRESS_DENIED.
    """

    def __init__(
        self, dialler: Dialler, most: int = MOST_BYTES, trust: ssl.SSLContext | None = None
    ) -> None:
        self._pool = HttpPool(MAX_CONNECTIONS, dialler)
        self._policy, self._most, self._trust = dialler.policy, most, trust

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See :class:`httpx2.AsyncBaseTransport`."""
        url = str(request.url)
        self._policy.check_host(place_of(url).host)
        request.headers["Accept-Encoding"] = PACKING
        body = await request.aread()
        request.headers.pop("Transfer-Encoding", None)  # it is sent whole, whatever it was given as
        with _named():
            session = await self._pool.session()
            async with asyncio.timeout(_beginning(request)):
                answer = await session.request(
                    request.method,
                    yarl.URL(url, encoded=True),
                    headers=request.headers.multi_items(),
                    data=body or None,
                    timeout=_timeout(request),
                    allow_redirects=False,
                    ssl=self._trust or True,
                )
        headers = httpx2.Headers(list(answer.raw_headers))
        events = headers.get("content-type", "").lower().startswith(EVENTS)
        packing = headers.pop("content-encoding", "")
        stream = _Body(answer, packing, None if events else self._most)
        return httpx2.Response(answer.status, headers=headers, stream=stream, request=request)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._pool.close()


def _timeout(request: httpx2.Request) -> aiohttp.ClientTimeout:
    given = request.extensions.get("timeout", {})
    connect_s = given.get("connect") or CONNECT_TIMEOUT_S
    return aiohttp.ClientTimeout(
        total=None, connect=given.get("pool"), sock_connect=connect_s, sock_read=given.get("read")
    )


def _beginning(request: httpx2.Request) -> float | None:
    """Within how many seconds an answer has to begin, in all: aiohttp has no bound for what takes
    nothing, or says for ever that it is about to answer. None for no bound.
    """
    given = request.extensions.get("timeout", {}).values()
    return None if None in given else sum(given) or None
