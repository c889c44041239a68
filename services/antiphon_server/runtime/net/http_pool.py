"""One bounded pool of HTTP connections for all of an adapter's calls."""

import asyncio
from typing import TYPE_CHECKING, Any

from antiphon_server.runtime.concurrency.imports import imported

if TYPE_CHECKING:
    import aiohttp

    from antiphon_server.runtime.net.egress.dialling import Dialler

CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 1024
KEEP_ALIVE_S = 4.0  # less than servers allow: llama.cpp and others close after 5 s


class Sent:
    """How a request went out; given to one as its ``trace_request_ctx``."""

    __slots__ = ("on_kept",)

    def __init__(self) -> None:
        self.on_kept = False
        """Whether on a connection of an earlier one, which the other side may have closed."""


async def _on_kept(_session: object, context: Any, _params: object) -> None:
    if isinstance(context.trace_request_ctx, Sent):
        context.trace_request_ctx.on_kept = True


class HttpPool:
    """A bounded pool of HTTP connections. aiohttp is imported at first use.

    With a ``dialler``, only what its policy allows is reached, whatever a URL names or resolves
    to; without one, the URLs have to be the operator's own words.
    """

    def __init__(
        self, max_connections: int = MAX_CONNECTIONS, dialler: "Dialler | None" = None
    ) -> None:
        self._max_connections = max_connections
        self._dialler = dialler
        self._session: aiohttp.ClientSession | None = None
        self._opening, self._closed = asyncio.Lock(), False

    async def session(self) -> "aiohttp.ClientSession":
        """The session: without cookies, and without proxies or credentials from the environment.

        Raises aiohttp.ClientConnectionError once the pool is closed: nobody would close another.
        """
        if self._session is None:
            async with self._opening:
                if self._session is None:
                    await imported("aiohttp")
                    self._session = self._open()
        return self._session

    async def close(self) -> None:
        """Close every connection, for good."""
        self._closed = True
        async with self._opening:
            session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        if self._closed:
            raise aiohttp.ClientConnectionError("the pool is closed")
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_on_kept)
        return aiohttp.ClientSession(
            trace_configs=[trace],
            connector=self._connector(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "antiphon"},
            auto_decompress=False,
            trust_env=False,
        )

    def _connector(self) -> "aiohttp.TCPConnector":
        import aiohttp

        limit, keep = self._max_connections, KEEP_ALIVE_S
        if self._dialler is None:
            return aiohttp.TCPConnector(limit=limit, keepalive_timeout=keep)
        from antiphon_server.runtime.net.egress.connector import GuardedConnector

        return GuardedConnector(self._dialler, limit=limit, keepalive_timeout=keep)
