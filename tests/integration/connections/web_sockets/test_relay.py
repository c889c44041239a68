"""One relay: what slows whom, and what is found out about the other side."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from antiphon_server.integration.connections.relay import Relay, Report, Speaker
from antiphon_server.integration.connections.relay_frames import (
    Close,
    Ended,
    Frame,
    Opened,
    Progress,
)
from antiphon_server.runtime.access.principal import ANONYMOUS
from antiphon_server.runtime.errors import DomainError, Reason
from tests.e2e.refusals import Refused
from tests.e2e.until import PATIENCE_S, until
from tests.integration.connections.web_sockets.strange_server import strange
from tests.integration.connections.web_sockets.talking_server import FLOOD, Talking, talking
from tests.integration.connections.web_sockets.test_calls import connection, linked

LARGE = "x" * (512 * 1024)
BUFFERED = 64 * 1024 * 1024
"""More than all sockets on the way hold."""


@asynccontextmanager
async def relayed(url: str, **more: Any) -> AsyncIterator[tuple[Relay, AsyncIterator[Frame]]]:
    """A relay that is open, and its frames."""
    async with linked(url) as link:
        socket = await link.open()
        relay = Relay("relay_1", connection(url), socket, Speaker(ANONYMOUS, ""), 60, **more)
        try:
            async with asyncio.timeout(PATIENCE_S):
                frames = relay.frames()
                assert isinstance(await anext(frames), Opened)
                yield relay, frames
        finally:
            await relay.close()
            await socket.close()


async def still(outside: Talking) -> int:
    """How much of a flood has gone off, once no more does."""
    while True:
        before = outside.flooded
        await asyncio.sleep(0.5)
        if before == outside.flooded > 0:
            return before


async def test_nothing_is_kept_for_who_does_not_ask() -> None:
    """What floods waits; what was asked for comes, and the flood goes on with it."""
    async with talking() as outside, relayed(outside.url) as (relay, frames):
        await relay.act("flood")
        assert len(await anext(frames)) == FLOOD  # type: ignore[arg-type]
        stopped = await still(outside)
        assert stopped * FLOOD < BUFFERED
        for _ in range(stopped):
            await anext(frames)
        await until(lambda: outside.flooded > stopped)


async def test_it_tells_how_far_it_is_while_nothing_is_said() -> None:
    """By itself, and when asked."""
    async with (
        talking() as outside,
        relayed(outside.url, heartbeat_s=(0.05, 0.1)) as (relay, frames),
    ):
        assert [await anext(frames) for _ in range(3)] == [Progress(0, 0)] * 3
        await relay.act("hello")
        while (frame := await anext(frames)) != "hello":
            assert isinstance(frame, Progress)
        await relay.act(Report())
        assert await anext(frames) == Progress(1, 1)


async def test_one_that_answers_no_ping_is_lost() -> None:
    """At the second heartbeat, though nothing has closed it."""

    async def silent(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    async with strange(silent) as url, relayed(url, heartbeat_s=(0.1, 0.2)) as (_, frames):
        assert await anext(frames) == Progress(0, 0)
        told = [frame async for frame in frames]
        ended = told[-1]
        assert isinstance(ended, Ended)
        assert ended.reason is Close.FAILED
        assert ended.error is not None
        assert ended.error.reason is Reason.CONNECTION_UNAVAILABLE


async def _filled(relay: Relay) -> None:
    """Say more than is taken."""
    await relay.act("deaf 60")
    while relay.ended is None:
        await relay.act(LARGE)


async def test_one_that_takes_nothing_is_given_up() -> None:
    """Whoever sends waits until then, and no longer."""
    async with talking() as outside, relayed(outside.url, send_s=0.5) as (relay, frames):
        await _filled(relay)
        ended = await anext(frames)
        assert isinstance(ended, Ended)
        assert ended.error is not None
        assert (ended.reason, ended.error.reason) == (Close.FAILED, Reason.TOOL_TIMEOUT)
        assert ended.error.metadata["timeout_ms"] == "500"


async def test_each_call_is_done_once_and_in_its_turn() -> None:
    """Also of one whose caller has gone, and of those that come while it is done."""
    async with talking() as outside, relayed(outside.url) as (relay, frames):
        first = asyncio.create_task(relay.update(1, ["a", "b"]))
        others = [asyncio.create_task(relay.update(number, [f"{number}"])) for number in (2, 3, 2)]
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(*others)
        await relay.update(1, ["a", "b"])
        with Refused(Reason.INVALID_ARGUMENT) as early:
            await relay.update(5, ["5"])
        assert early.error.violations[0].field == "sequence"
        assert [await anext(frames) for _ in range(4)] == ["a", "b", "2", "3"]
        assert outside.heard == ["a", "b", "2", "3"]
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_so_many_calls_wait_for_the_one_before() -> None:
    """One more is refused: who sends by calls is slowed by what is outside, too."""
    async with talking() as outside, relayed(outside.url, send_s=1.0) as (relay, _):
        full = asyncio.create_task(relay.update(1, ["deaf 60", *[LARGE] * 40]))
        await asyncio.sleep(0)
        waiting = [asyncio.create_task(relay.update(number, ["x"])) for number in range(2, 9)]
        await asyncio.sleep(0)
        with Refused(Reason.OVERLOADED):
            await relay.update(9, ["x"])
        await asyncio.gather(full, *waiting)
        assert isinstance(relay.ended, Ended)
        assert isinstance(relay.ended.error, DomainError)
        assert outside.heard == ["deaf 60"]
