"""One bounded pool of HTTP connections for all of an adapter's calls."""

import asyncio
import importlib
from typing import TYPE_CHECKING

from antiphon_server.runtime.net.public_addresses import public_socket

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 1024
KEEP_ALIVE_S = 4.0  # less than servers allow: llama.cpp and others close after 5 s


class HttpPool:
    """A bounded pool of HTTP connections. aiohttp is imported at first use.

    With ``public_only``, only public addresses are reached, whatever a URL names or resolves to.
    """

    def __init__(
        self, max_connections: int = MAX_CONNECTIONS, *, public_only: bool = False
    ) -> None:
        self._max_connections = max_connections
        self._public_only = public_only
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def session(self) -> "aiohttp.ClientSession":
        """The session: without cookies, and without proxies or credentials from the environment."""
        if self._session is None:
            async with self._opening:
                await asyncio.to_thread(importlib.import_module, "aiohttp")
                self._session = self._session or self._open()
        return self._session

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> "aiohttp.ClientSession":
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._max_connections,
                keepalive_timeout=KEEP_ALIVE_S,
                socket_factory=public_socket if self._public_only else None,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "antiphon"},
            auto_decompress=False,
            trust_env=False,
        )
