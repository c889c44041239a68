from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest_asyncio

from antiphon_server.web.pages import load_pages
from antiphon_server.web.site import Site

PAGES = load_pages()
TOKENS = {"accessToken": "a", "refreshToken": "r"}


async def sign_in(link: str) -> Mapping[str, str | int] | None:
    return TOKENS if link == "good" else None


@pytest_asyncio.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    site = Site(PAGES, sign_in)
    port = await site.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", auto_decompress=False) as http:
        yield http
    await site.stop()


async def test_every_answer_has_the_policy(http: aiohttp.ClientSession) -> None:
    """Pages, what is not there and what is refused: nothing runs that is not the site's own."""
    for path in ("/", "/operator.html", "/icon.svg", "/nothing", "/../operator.key", "/link"):
        async with http.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_only_pages_are_given_out(http: aiohttp.ClientSession) -> None:
    """What is no file of the pages is not found, however its path is written."""
    for path in ("/nothing", "/assets/", "/%2e%2e/pages.py", "/index.html/"):
        async with http.get(path) as answer:
            assert answer.status == 404
    async with http.post("/") as answer:
        assert answer.status == 405


async def test_files_that_never_change_are_kept(http: aiohttp.ClientSession) -> None:
    """Names in assets/ hold what is in the file; a page is asked for again, and seldom sent."""
    async with http.get("/") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        etag, page = answer.headers["ETag"], (await answer.read()).decode(errors="replace")
    async with http.get("/", headers={"If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    assets = [path for path in PAGES if path.startswith("/assets/")]
    assert assets
    async with http.get(assets[0], headers={"Accept-Encoding": "gzip"}) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
    assert "<script" not in page.replace('<script type="module" crossorigin src="/assets/', "")


async def test_a_link_is_exchanged(http: aiohttp.ClientSession) -> None:
    """The right one for tokens, which no cache keeps."""
    async with http.post("/link", json={"link": "good"}) as answer:
        assert await answer.json() == TOKENS
        assert answer.headers["Cache-Control"] == "no-store"
    async with http.post("/link", json={"link": "bad"}) as answer:
        assert answer.status == 403


async def test_other_pages_can_send_no_link(http: aiohttp.ClientSession) -> None:
    """What a form or a simple request of another origin could send is refused unread."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        sent = http.post("/link", data=b'{"link": "good"}', headers={"Content-Type": kind})
        async with sent as answer:
            assert answer.status == 405
    for body in (b"", b"[]", b"{}", b"\xff", b'{"link": "good"' + b" " * 5000 + b"}"):
        sent = http.post("/link", data=body, headers={"Content-Type": "application/json"})
        async with sent as answer:
            assert answer.status in (400, 403)
