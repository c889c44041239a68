"""Egress for libraries that speak HTTP by httpx2, as the SDK of MCP does."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import httpcore2
import httpx2

from antiphon_server.runtime.net.egress.bodies import PACKING, unpacked
from antiphon_server.runtime.net.egress.dialling import CONNECT_TIMEOUT_S, Dialler
from antiphon_server.runtime.net.egress.names import denied, place_of

MOST_BYTES = 8 * 1024 * 1024
MAX_CONNECTIONS = 16
EVENTS = "text/event-stream"


class _Backend(httpcore2.AsyncNetworkBackend):
    """Connects each connection of a pool by a dialler."""

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._under = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception | None = None
        for address in await self._addresses(host, port):
            try:
                return await self._under.connect_tcp(
                    address, port, timeout or CONNECT_TIMEOUT_S, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore2.ConnectError("no address")

    async def _addresses(self, host: str, port: int) -> Iterable[str]:
        try:
            return await self._dialler.vetted(host, port)
        except OSError as error:
            raise httpcore2.ConnectError("the host has no address") from error

    async def sleep(self, seconds: float) -> None:
        await self._under.sleep(seconds)


class _Body(httpx2.AsyncByteStream):
    """An answer's body, unpacked and bounded."""

    def __init__(self, under: httpx2.AsyncByteStream, packing: str, most: int | None) -> None:
        self._under, self._packing, self._most = under, packing, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in unpacked(self._under, self._packing, self._most):
            yield piece

    async def aclose(self) -> None:
        await self._under.aclose()


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """Requests to where a policy allows, each hop and each pooled connection by itself.

    Bodies are unpacked here, and bounded to ``most`` bytes then (bodies.BodyTooLarge); streams of
    events have no end and no bound in all. Raises DomainError EGRESS_DENIED.
    """

    def __init__(self, dialler: Dialler, context: ssl.SSLContext, most: int = MOST_BYTES) -> None:
        super().__init__(verify=context, trust_env=False)
        self._dialler, self._most = dialler, most
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=4.0,
            network_backend=_Backend(dialler),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """See :class:`httpx2.AsyncBaseTransport`."""
        self._dialler.policy.check_host(place_of(str(request.url)).host)
        request.headers["Accept-Encoding"] = PACKING
        response = await super().handle_async_request(request)
        events = response.headers.get("content-type", "").lower().startswith(EVENTS)
        packing = response.headers.pop("content-encoding", "")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Body(response.stream, packing, None if events else self._most)
        return response


async def _stays_encrypted(response: httpx2.Response) -> None:
    target = response.headers.get("location")
    if target is None or not response.has_redirect_location:
        return
    following = response.url.join(target)
    if response.url.scheme == "https" and following.scheme != "https":
        raise denied(following.host, "it would be told without encryption what was encrypted")


async def guarded_client(
    dialler: Dialler,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: httpx2.Timeout | None = None,
    auth: httpx2.Auth | None = None,
    most: int = MOST_BYTES,
) -> httpx2.AsyncClient:
    """A client on a :class:`GuardedTransport`: no proxies, no credentials of the environment."""
    context = await asyncio.to_thread(httpx2.create_ssl_context, trust_env=False)
    return httpx2.AsyncClient(
        transport=GuardedTransport(dialler, context, most),
        headers=headers,
        timeout=timeout or httpx2.Timeout(30.0),
        auth=auth,
        trust_env=False,
        event_hooks={"response": [_stays_encrypted]},
    )
