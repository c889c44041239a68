"""The server of the pages: HTTP/1.1 on loopback, behind Envoy."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.web.pages import HEADERS, Page

if TYPE_CHECKING:
    from aiohttp import web

MAX_BODY_BYTES = 4096
LINK = "/link"

SignIn = Callable[[str], Awaitable[Mapping[str, str | int] | None]]
"""What signs in by a link: the tokens, or None if the link is no good."""


class Site:
    """Serves pages, and if ``sign_in`` is given takes links. It knows no other secret."""

    def __init__(self, pages: Mapping[str, Page], sign_in: SignIn | None = None) -> None:
        self._pages = pages
        self._sign_in = sign_in
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen, and return the port. Raises CannotListen."""
        from aiohttp import web

        self._runner = web.ServerRunner(web.Server(self._answer, access_log=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise CannotListen(f"{host}:{port}") from error
        bound: int = self._runner.addresses[0][1]
        return bound

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: "web.BaseRequest") -> "web.StreamResponse":
        if request.path == LINK and self._sign_in is not None:
            return await self._link(request, self._sign_in)
        page = self._pages.get(request.path)
        if page is None:
            return _said(404, "There is no such page.\n")
        if request.method not in ("GET", "HEAD"):
            return _said(405, "GET or HEAD\n", Allow="GET, HEAD")
        return _sent(page, request)

    async def _link(self, request: "web.BaseRequest", sign_in: SignIn) -> "web.StreamResponse":
        """A page of another origin can't send this type of content without being asked first."""
        if request.method != "POST" or request.content_type != "application/json":
            return _said(405, "POST\n", Allow="POST")
        try:
            body = json.loads(await asyncio.wait_for(request.content.read(MAX_BODY_BYTES), 5))
            link = str(body["link"])
        except (ValueError, TypeError, LookupError, TimeoutError):
            return _said(400, "That is no link.\n")
        tokens = await sign_in(link)
        if tokens is None:
            return _said(403, "The link was used, or is too old.\n")
        return _json(tokens)


def _sent(page: Page, request: "web.BaseRequest") -> "web.StreamResponse":
    from aiohttp import web

    headers = {
        **HEADERS,
        "Content-Type": page.content_type,
        "Cache-Control": page.cache,
        "ETag": page.etag,
        "Vary": "Accept-Encoding",
    }
    if page.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if page.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=page.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=page.body, headers=headers)


def _said(status: int, text: str, **headers: str) -> "web.StreamResponse":
    from aiohttp import web

    told = {**HEADERS, "Cache-Control": "no-store", **headers}
    return web.Response(status=status, text=text, headers=told)


def _json(value: Mapping[str, str | int]) -> "web.StreamResponse":
    from aiohttp import web

    return web.json_response(value, headers={**HEADERS, "Cache-Control": "no-store"})
