"""Redirects by aiohttp."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from antiphon_server.runtime.errors.domain_error import DomainError
from antiphon_server.runtime.net.egress.bodies import BodyTooLarge
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.egress.requests import _following, asked, body_of
from antiphon_server.runtime.net.http_pool import HttpPool
from tests.runtime.egress.places import LOOPBACK, Names, canary

NAMES = Names(a_example=[[LOOPBACK]], b_example=[[LOOPBACK]], evil_example=[[LOOPBACK]])
SIGNED = {"Authorization": "Bearer s3cret", "X-Api-Key": "s3cret", "Accept": "text/plain"}


async def _answer(request: web.Request) -> web.StreamResponse:
    if to := request.query.get("to"):
        return web.Response(status=int(request.query["as"]), headers={"Location": to})
    if request.path == "/loop":
        raise web.HTTPFound("/loop")
    if request.path == "/long":
        return web.Response(body=bytes(2000))
    return web.Response(text=f"{request.method} {request.headers.get('Authorization')}")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    found = HttpPool(4, Dialler(EgressPolicy.allowing(["a.example", "b.example"], []), NAMES))
    yield found
    await found.close()


async def _body(pool: HttpPool, method: str, url: str) -> str:
    async with asked(await pool.session(), method, url, SIGNED) as response:
        return (await body_of(response, most=1000)).decode()


async def test_credentials_stay_with_their_host(pool: HttpPool, port: int) -> None:
    """A redirect within a host keeps them, to another host it loses them."""
    here, there = f"http://a.example:{port}", f"http://b.example:{port}"
    assert await _body(pool, "GET", f"{here}/?as=302&to=/x") == "GET Bearer s3cret"
    assert await _body(pool, "GET", f"{here}/?as=302&to={there}/x") == "GET None"
    assert await _body(pool, "POST", f"{here}/?as=307&to=/x") == "POST Bearer s3cret"
    assert await _body(pool, "POST", f"{here}/?as=302&to=/x") == ""


@pytest.mark.parametrize("host", [LOOPBACK, "evil.example", "2130706433", "a@a.example"])
async def test_no_redirect_leads_where_a_request_may_not(
    pool: HttpPool, port: int, host: str
) -> None:
    """Neither by name nor by address, over a connection that was pooled."""
    async with canary() as found:
        with pytest.raises(DomainError, match="EGRESS_DENIED"):
            await _body(
                pool, "GET", f"http://a.example:{port}/?as=302&to=http://{host}:{found.port}/"
            )
    assert found.visits == 0


def test_what_was_encrypted_stays_so() -> None:
    """A redirect from https to http is refused, one from http to https is not."""
    with pytest.raises(DomainError, match="without encryption"):
        _following(place_of("https://a.example"), "http://a.example/")
    assert _following(place_of("http://a.example"), "https://a.example/").encrypted


async def test_bodies_are_bounded(pool: HttpPool, port: int) -> None:
    """A long answer is not read to its end."""
    with pytest.raises(BodyTooLarge):
        await _body(pool, "GET", f"http://a.example:{port}/long")


async def test_redirects_in_a_circle_end(pool: HttpPool, port: int) -> None:
    """After five the redirect itself is the answer."""
    async with asked(await pool.session(), "GET", f"http://a.example:{port}/loop") as response:
        assert response.status == 302
