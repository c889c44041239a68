"""Connections whose calls fail often are left alone for a while, and tried with care."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.guard import LEFT_ALONE
from antiphon_server.integration.connections.model import (
    Connection,
    HttpRequest,
    Limits,
    State,
    Status,
)
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.tools.model import Result, SourceName
from antiphon_server.runtime.concurrency.breaker import Limits as BreakerLimits
from antiphon_server.runtime.concurrency.breaker import State as BreakerState
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import status_of
from tests.e2e.refusals import Refused
from tests.e2e.until import until
from tests.integration.connections.outside import (
    KINDS,
    LOCAL,
    Outside,
    nobody,
    serving_it,
    supervised,
)
from tests.integration.connections.web_sockets.strange_server import strange
from tests.integration.connections.web_sockets.test_calls import OneSecret
from tests.integration.connections.web_sockets.test_calls import connection as web_socket

RACERS = 1_000
SHORT = Limits(call_s=0.5, max_calls=1_000)
"""Long enough for a call that is answered, where that is not told otherwise."""
SOON = BreakerLimits(open_s=0.3)
GET = HttpRequest("GET", "/do/it")


async def fails(one: Supervised, outside: Outside, times: int) -> None:
    """Call it so often; each call is made, and none is answered well."""
    for _ in range(times):
        try:
            came = await one.call(outside.call())
        except DomainError as error:
            if error.metadata.get("state") == LEFT_ALONE:
                raise
        else:
            assert isinstance(came, Result)
            assert came.failed


def is_in(one: Supervised, state: BreakerState) -> bool:
    return one.breaker.state is state


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("does", ["hangs", "dies"])
async def test_one_that_fails_five_times_is_not_called(
    kind: str, does: str, tmp_path: Path
) -> None:
    """Whoever calls is told at once, and when to try again; what is outside hears of nothing."""
    outside = Outside(kind)
    async with supervised(outside, tmp_path, limits=SHORT) as one:
        outside.does = does
        await fails(one, outside, 5)
        seen = outside.seen
        with Refused(Reason.CONNECTION_UNAVAILABLE) as refused:
            async with asyncio.timeout(SHORT.call_s / 2):
                await one.call(outside.call())
        assert outside.seen == seen
        told = refused.error.metadata
        assert (told["state"], told["breaker"]) == ("LEFT_ALONE", "OPEN")
        assert refused.error.retry_after == pytest.approx(30, abs=10)
        assert "failed too often" in status_of(refused.error).message
        assert one.away
        assert one.why == {key: said for key, said in told.items() if key != "connection"}


@pytest.mark.parametrize("kind", ["rest", "mcp"])
@pytest.mark.parametrize("status", ["502", "503", "504"])
async def test_what_stands_in_for_a_service_counts(kind: str, status: str, tmp_path: Path) -> None:
    """Its own words are told until then; who is refused hears of the status."""
    outside = Outside(kind)
    async with supervised(outside, tmp_path) as one:
        outside.does = status
        await fails(one, outside, 5)
        with Refused(Reason.CONNECTION_UNAVAILABLE) as refused:
            await one.call(outside.call())
        assert refused.error.metadata["http_status"] == status
        assert outside.seen == 5


@pytest.mark.parametrize(
    ("kind", "does"),
    [
        *(("rest", status) for status in ("400", "401", "403", "404", "429", "500")),
        *(("mcp", status) for status in ("400", "401", "403", "429", "500")),
        *((kind, "fails") for kind in ("grpc", "web_socket", "program")),
    ],
)
async def test_what_is_answered_or_refused_does_not_count(
    kind: str, does: str, tmp_path: Path
) -> None:
    """What a tool itself says, and what a caller asks wrongly or too often."""
    outside = Outside(kind)
    async with supervised(outside, tmp_path) as one:
        outside.does = does
        await fails(one, outside, 12)
        outside.does = "well"
        await one.call(outside.call())
        assert is_in(one, BreakerState.CLOSED)


async def test_who_is_told_to_wait_is_told_how_long(tmp_path: Path) -> None:
    """And nobody else waits with them."""
    outside = Outside("mcp")
    async with supervised(outside, tmp_path) as one:
        outside.does, outside.headers = "429", {"Retry-After": "17"}
        with Refused(Reason.TOOL_FAILED) as refused:
            await one.call(outside.call())
        assert (refused.error.metadata["http_status"], refused.error.retry_after) == ("429", 17)
        outside.does = "well"
        await one.call(outside.call())
    outside = Outside("rest")
    async with supervised(outside, tmp_path) as one:
        outside.does, outside.headers = "429", {"Retry-After": "17"}
        told = await one.call(outside.call())
        assert isinstance(told, Result)
        said = "HTTP 429 Too Many Requests; to be tried again in 17 s"
        assert told.parts[0].content == said


async def test_who_gives_up_says_nothing_of_it(tmp_path: Path) -> None:
    """Neither those who cancel, nor those who wait for less than the server does."""
    outside = Outside("rest")
    async with supervised(outside, tmp_path) as one:
        outside.does = "hangs"
        for _ in range(6):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await one.call(outside.call())
            calling = asyncio.create_task(one.forward(GET))
            await asyncio.sleep(0.05)
            calling.cancel()
            await asyncio.wait([calling])
        assert is_in(one, BreakerState.CLOSED)


async def test_a_limit_of_the_servers_own_counts(tmp_path: Path) -> None:
    """Also that of all tools, which ends a call by cancelling it."""
    outside = Outside("rest")
    async with supervised(outside, tmp_path) as one:
        outside.does = "hangs"
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05) as limit:
                    await one.call(outside.call(limit.expired))
        assert is_in(one, BreakerState.OPEN)
        assert one.why["cause"] == "TOOL_TIMEOUT"


async def test_what_people_send_counts_too(tmp_path: Path) -> None:
    """And is refused, too."""
    outside = Outside("rest")
    async with supervised(outside, tmp_path) as one:
        outside.does = "503"
        for _ in range(5):
            await one.forward(GET)
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await one.forward(GET)
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await one.call(outside.call())
        assert outside.seen == 5


async def test_a_web_socket_that_is_not_opened_counts_too(tmp_path: Path) -> None:
    """One that is open is left as it is."""
    asked, closing = 0, False

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if closing:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for told in socket:
            await socket.send_str(told.data)
        return socket

    async with strange(serve) as url:
        one = Supervised(web_socket(url), WebSockets(LOCAL, OneSecret()), nobody)
        async with one.channel() as talk:
            closing = True
            for _ in range(6):
                with Refused(Reason.CONNECTION_UNAVAILABLE) as refused:
                    async with one.channel():
                        pass
            assert refused.error.metadata["breaker"] == "OPEN"
            assert asked == 6
            await talk.send("hello")
            assert await talk.receive() == "hello"
        await one.close()


async def test_who_waits_for_a_place_leaves_when_it_opens(tmp_path: Path) -> None:
    """Five hang to their end; a few have their places meanwhile, and the others leave at once."""
    outside = Outside("rest")
    limits = Limits(call_s=2, max_calls=5)
    async with supervised(outside, tmp_path, limits=limits) as one:
        outside.does = "hangs"
        hang = [asyncio.create_task(one.call(outside.call())) for _ in range(5)]
        await asyncio.sleep(1)
        wait = [asyncio.create_task(one.call(outside.call())) for _ in range(45)]
        ends = await asyncio.gather(*hang, *wait, return_exceptions=True)
        refused = [it for it in ends if isinstance(it, DomainError)]
        assert len(refused) == 50
        left = [it for it in refused if it.metadata.get("state") == LEFT_ALONE]
        assert outside.seen + len(left) == 50
        assert outside.seen < 10


async def test_one_of_a_thousand_tries_whether_it_is_back(tmp_path: Path) -> None:
    """All others are told to wait meanwhile; then all calls are made again."""
    outside = Outside("rest")
    async with supervised(outside, tmp_path, limits=SHORT, breaker=SOON) as one:
        outside.does = "503"
        await fails(one, outside, 5)
        await until(lambda: is_in(one, BreakerState.HALF_OPEN))
        assert not one.away
        outside.does = "well"
        ends = await asyncio.gather(
            *(one.call(outside.call()) for _ in range(RACERS)), return_exceptions=True
        )
        assert sum(isinstance(it, Result) for it in ends) == 1
        refused = [it for it in ends if isinstance(it, DomainError)]
        assert {it.metadata["breaker"] for it in refused} == {"HALF_OPEN"}
        assert (outside.seen, len(refused)) == (6, RACERS - 1)
        await one.call(outside.call())
        assert is_in(one, BreakerState.CLOSED)


async def test_one_that_was_down_and_is_back_is_called_at_once(tmp_path: Path) -> None:
    """Its probe has seen it, so no call has to; what an operator says holds on."""
    outside = Outside("rest")
    async with serving_it(outside, tmp_path) as (kind, target):
        pass  # its port is known by now
    one = Supervised(Connection("", SourceName("it"), target), kind, nobody)
    assert (await one.probe()).state is State.DOWN
    await fails(one, outside, 5)
    assert is_in(one, BreakerState.OPEN)
    async with outside.over_http(tmp_path):
        assert (await one.probe()).state is State.UP
        assert is_in(one, BreakerState.CLOSED)
        await one.call(outside.call())
    one.breaker.open()
    assert (await one.probe()).state is State.DOWN
    async with outside.over_http(tmp_path):
        assert (await one.probe()).state is State.UP
        assert one.breaker.by_hand
    await one.close()


class Heard:
    """What was told."""

    def __init__(self) -> None:
        self.news: list[tuple[str, str, str, bool]] = []

    async def __call__(self, connection: Connection, status: Status | None) -> None:
        assert status is not None
        breaker = status.breaker
        what = status.state.name, status.error_reason, breaker.state.name, breaker.by_hand
        self.news.append(what)


async def test_all_who_want_to_know_are_told_once(tmp_path: Path) -> None:
    """It answers probes, so it is degraded; a try that fails is no news."""
    outside, heard = Outside("rest"), Heard()
    async with supervised(outside, tmp_path, breaker=SOON, told=heard) as one:
        outside.does = "503"
        await fails(one, outside, 5)
        await until(lambda: is_in(one, BreakerState.HALF_OPEN))
        await fails(one, outside, 1)
        assert is_in(one, BreakerState.OPEN)
        await one.probe()
        assert one.status.error_reason == "TOOL_FAILED"
        await until(lambda: is_in(one, BreakerState.HALF_OPEN))
        outside.does = "well"
        await one.call(outside.call())
        await until(lambda: len(heard.news) == 3)
        one.breaker.open()
        await until(lambda: len(heard.news) == 4)
        assert heard.news == [
            ("UP", "", "CLOSED", False),
            ("DEGRADED", "TOOL_FAILED", "OPEN", False),
            ("UP", "", "CLOSED", False),
            ("UP", "", "OPEN", True),
        ]


async def test_what_an_operator_has_opened_is_not_called(tmp_path: Path) -> None:
    """Whoever calls is told why, and of no time; nothing is tried meanwhile."""
    outside = Outside("rest")
    async with supervised(outside, tmp_path, breaker=BreakerLimits(open_s=0.0)) as one:
        one.breaker.open()
        with Refused(Reason.CONNECTION_UNAVAILABLE) as refused:
            await one.call(outside.call())
        assert (refused.error.metadata["breaker"], refused.error.retry_after) == ("BY_HAND", None)
        assert "an operator said so" in status_of(refused.error).message
        assert outside.seen == 0
        one.breaker.close()
        await one.call(outside.call())
