"""httpx2 goes where the policy allows, and takes no more than it may."""

import gzip
from collections.abc import AsyncIterator

import httpx2
import pytest
from aiohttp import web

from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.bodies import BodyGarbled, BodyTooLarge
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.runtime.egress.places import LOOPBACK, PUBLIC, Names, canary

MOST = 100_000
NAMES = Names(
    tools_example=[[LOOPBACK]], evil_example=[[LOOPBACK]], mixed_example=[[PUBLIC, "::1"]]
)
ALLOWED = Dialler(EgressPolicy.allowing(["tools.example"], []), NAMES)


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=GuardedTransport(ALLOWED, MOST), trust_env=False)


async def _answer(request: web.Request) -> web.StreamResponse:
    match request.path:
        case "/away":
            raise web.HTTPFound(request.query["to"])
        case "/bomb":
            packed = gzip.compress(bytes(MOST * 100))
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        case "/long":
            return web.Response(body=bytes(MOST + 1))
        case "/garbled":
            return web.Response(body=b"not packed", headers={"Content-Encoding": "gzip"})
        case "/brotli":
            return web.Response(body=b"whatever", headers={"Content-Encoding": "br"})
        case "/packed":
            packed = gzip.compress(b"hello" * 1000)
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        case "/empty":
            return web.Response(headers={"Content-Encoding": "gzip"})
        case "/events":
            body = b"data: 1\n\n" * MOST
            return web.Response(body=body, content_type="text/event-stream")
    return web.Response(text=request.headers["Host"])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def test_it_connects_to_the_vetted_address_and_says_the_name(port: int) -> None:
    """A host that the operator allows is reached by its address, and told its own name."""
    async with _client() as client:
        answer = await client.get(f"http://tools.example:{port}/")
    assert answer.text == f"tools.example:{port}"


@pytest.mark.parametrize("host", ["evil.example", "mixed.example", LOOPBACK, "[::1]", "127.1"])
async def test_what_is_refused_gets_no_packet(host: str) -> None:
    """Names of private addresses, and addresses themselves, are refused before a connection."""
    async with canary() as found, _client() as client:
        with pytest.raises(DomainError) as refused:
            await client.get(f"http://{host}:{found.port}/")
    assert refused.value.reason is Reason.EGRESS_DENIED
    assert found.visits == 0


async def test_each_hop_is_checked(port: int) -> None:
    """A redirect leads no further than a request of its own would."""
    async with canary() as found, _client() as client:
        away = f"http://tools.example:{port}/away?to=http://{LOOPBACK}:{found.port}/"
        with pytest.raises(DomainError, match="EGRESS_DENIED"):
            await client.get(away, follow_redirects=True)
    assert found.visits == 0


async def test_proxies_of_the_environment_are_not_used(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would look the name up again, by itself."""
    async with canary() as found:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{LOOPBACK}:{found.port}")
        async with _client() as client:
            answer = await client.get(f"http://tools.example:{port}/")
    assert (answer.status_code, found.visits) == (200, 0)


async def test_bodies_are_bounded_after_they_are_unpacked(port: int) -> None:
    """Ten megabytes in ten kilobytes are too much, and so is a long plain body."""
    async with _client() as client:
        for path in ("bomb", "long"):
            with pytest.raises(BodyTooLarge):
                await client.get(f"http://tools.example:{port}/{path}")
        for path in ("garbled", "brotli"):
            with pytest.raises(BodyGarbled):
                await client.get(f"http://tools.example:{port}/{path}")
        assert (await client.get(f"http://tools.example:{port}/packed")).text == "hello" * 1000
        assert (await client.get(f"http://tools.example:{port}/empty")).content == b""
        assert len((await client.get(f"http://tools.example:{port}/events")).content) == 9 * MOST
