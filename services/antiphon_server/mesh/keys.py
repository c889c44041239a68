"""The keys of access tokens for Envoy, as a JWK Set by HTTP (RFC 7517, 5)."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from antiphon_server.mesh.model import Address

Jwk = dict[str, str]


class KeysServer:
    """Answers each request with ``keys()``; before there are any it says to ask again."""

    def __init__(self, keys: Callable[[], Iterable[Jwk]]) -> None:
        self._keys = keys
        self._runner: Any = None

    async def start(self, host: str) -> Address:
        """Listen on some port."""
        web = await asyncio.to_thread(_aiohttp_web)
        application = web.Application()
        application.router.add_get("/keys", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, 0).start()
        return Address(host, self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, _request: object) -> Any:
        from aiohttp import web

        found = list(self._keys())
        return web.json_response({"keys": found}, status=200 if found else 503)


def _aiohttp_web() -> Any:
    from aiohttp import web

    return web
