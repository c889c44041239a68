"""Where a browser comes back to after a login: a port of this machine (RFC 8252, 7.3)."""

import asyncio
import contextlib
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, urlsplit

PATH = "/callback"
_MOST_BYTES = 16 * 1024
_REQUEST_S = 5.0
_OUTCOME_S = 60.0
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;display:grid;place-content:center;
min-height:90vh;margin:1rem;color:#222;background:#fafafa;text-align:center}}
@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#181818}}}}</style>
<main><h1>{title}</h1><p>{text}</p></main></html>
"""
_HEADERS = (
    "Content-Type: text/html; charset=utf-8\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n"
)


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows in the end."""

    title: str
    text: str
    status: HTTPStatus = HTTPStatus.OK


# What RFC 6749 (4.1.2.1) and OpenID Connect name their errors by.
_ERROR = re.compile(r"[a-z_]{1,64}")
_ELSEWHERE = Page("Nothing here", "This is not where a login ends.", HTTPStatus.NOT_FOUND)


class RedirectServer:
    """Waits for the browser, and shows it how the login went: an async context manager.

    Whatever else comes to the port, such as another login's answer, ends nothing. A refusal
    without ``state``, as some providers send it, may be a stranger's page as well: the first is
    told to ``on_refusal`` by its name, and the person decides whether to wait on.
    """

    def __init__(self, on_refusal: Callable[[str], None], port: int = 0) -> None:
        self._on_refusal, self._port = on_refusal, port
        self._refused = False
        self._answer: asyncio.Future[Mapping[str, str]] = asyncio.Future()
        self._outcome: asyncio.Future[Page] = asyncio.Future()
        self._shown = asyncio.Event()
        self._state = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, limit=_MOST_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def uri(self) -> str:
        """The redirect URI."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}{PATH}"

    def expect(self, state: str) -> None:
        """Take the redirect with that state from now on: before a browser can come with it."""
        self._state = state

    async def wait(self, seconds: float) -> Mapping[str, str]:
        """The parameters of the redirect that is expected. Raises TimeoutError."""
        return await asyncio.wait_for(self._answer, seconds)

    async def show(self, page: Page) -> None:
        """Show the waiting browser how it went; return when it has it, or does not take it."""
        self._outcome.set_result(page)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._shown.wait(), _REQUEST_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _REQUEST_S)
            page = await self._page(head.split(b"\r\n", 1)[0].decode("ascii", "replace"))
            writer.write(_response(page))
            await asyncio.wait_for(writer.drain(), _REQUEST_S)
            writer.close()
            if self._outcome.done() and page is self._outcome.result():
                self._shown.set()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.close()

    async def _page(self, request: str) -> Page:
        method, _, rest = request.partition(" ")
        try:
            url = urlsplit(rest.partition(" ")[0])
            found = dict(parse_qsl(url.query))
        except ValueError:
            return _ELSEWHERE
        if method != "GET" or url.path != PATH or not self._state:
            return _ELSEWHERE
        if "state" not in found and _ERROR.fullmatch(found.get("error", "")):
            return self._refusal(found["error"])
        if found.get("state") != self._state or self._answer.done():
            return _ELSEWHERE
        self._answer.set_result(found)
        return await asyncio.wait_for(asyncio.shield(self._outcome), _OUTCOME_S)

    def _refusal(self, error: str) -> Page:
        if not (self._refused or self._answer.done()):
            self._refused = True
            self._on_refusal(error)
        text = f"The identity provider says {error}. The terminal waits on; Ctrl-C ends it there."
        return Page("You are not signed in", text, HTTPStatus.FORBIDDEN)


def _response(page: Page) -> bytes:
    title, text = html.escape(page.title), html.escape(page.text)
    body = _PAGE.format(title=title, text=text).encode()
    status = f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
    return f"{status}{_HEADERS}Content-Length: {len(body)}\r\n\r\n".encode() + body
