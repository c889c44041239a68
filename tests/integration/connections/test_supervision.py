"""One connection as it is used: at once by its probe, by tools and by people."""

import asyncio
from collections.abc import Callable

from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.adapters.web_socket_link import WebSocketLink
from antiphon_server.integration.connections.model import Connection, State, Status
from antiphon_server.integration.connections.supervision import MOST_CHANNELS, Supervised
from antiphon_server.integration.tools.model import Call, Caller, ToolCallId, ToolName
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.integration.connections.web_sockets.strange_server import strange
from tests.integration.connections.web_sockets.talking_server import talking
from tests.integration.connections.web_sockets.test_calls import LOCAL, OneSecret, connection
from tests.integration.tools.sources import text


class Counting(WebSockets):
    """Counts the links that it makes."""

    made = 0

    async def link(self, connection: Connection, changed: Callable[[], None]) -> WebSocketLink:
        self.made += 1
        return await super().link(connection, changed)


async def _nobody(connection: Connection, status: Status | None) -> None:
    return


async def test_all_that_use_it_at_first_have_one_link() -> None:
    """One that nobody knew of would be closed by nobody."""
    async with talking() as outside:
        kind = Counting(LOCAL, OneSecret())
        one = Supervised(connection(outside.url), kind, _nobody)

        async def talked() -> None:
            async with one.channel() as socket:
                await socket.send("hello")
                assert await socket.receive() == "hello"

        await asyncio.gather(one.probe(), talked(), one.forward("hello"), talked())
        assert (kind.made, one.status.state) == (1, State.UP)
        await one.close()


class Slow(Counting):
    """Takes as long for a link as the test says."""

    def __init__(self) -> None:
        super().__init__(LOCAL, OneSecret())
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def link(self, connection: Connection, changed: Callable[[], None]) -> WebSocketLink:
        self.begun.set()
        await self.goes_on.wait()
        return await super().link(connection, changed)


async def test_a_link_that_is_being_made_is_closed_too() -> None:
    """And none is made afterwards: nobody would close it."""
    async with talking() as outside:
        kind = Slow()
        one = Supervised(connection(outside.url), kind, _nobody)
        waiting = asyncio.create_task(one.forward("hello"))
        await kind.begun.wait()
        closing = asyncio.create_task(one.close())
        await asyncio.sleep(0)
        kind.goes_on.set()
        await closing
        await asyncio.gather(waiting, return_exceptions=True)
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await one.forward("hello")
        assert kind.made == 1


def asked(method: str) -> Call:
    return Call(ToolCallId("1"), ToolName(f"it.{method}"), {"n": 1}, Caller("ws_00000001"))


async def test_what_is_finished_is_closed_behind_a_call() -> None:
    """It goes on where it began; another link is what new ones get."""
    async with strange() as url:
        one = Supervised(connection(url), WebSockets(LOCAL, OneSecret()), _nobody)
        called = asyncio.create_task(one.call(asked("later")))
        await asyncio.sleep(0.1)
        await one.finish()
        assert called.done()
        assert await called == text('{"n": 1}')
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await one.call(asked("echo"))


async def test_what_is_finished_is_closed_behind_what_people_send() -> None:
    """As behind calls of tools."""
    async with strange() as url:
        one = Supervised(connection(url), WebSockets(LOCAL, OneSecret()), _nobody)
        sent = asyncio.create_task(one.forward('{"id": 9, "method": "later", "params": 1}'))
        await asyncio.sleep(0.1)
        await one.finish()
        assert sent.done()
        assert await sent == '{"jsonrpc": "2.0", "id": 9, "result": 1}'


async def test_people_have_so_many_web_sockets_by_one() -> None:
    """One more is refused until one is closed, and its calls and probes go on beside them."""
    async with talking() as outside:
        one = Supervised(connection(outside.url), WebSockets(LOCAL, OneSecret()), _nobody)
        held = [one.channel() for _ in range(MOST_CHANNELS)]
        for channel in held:
            await channel.__aenter__()
        with Refused(Reason.LIMIT_EXCEEDED):
            async with one.channel():
                pass
        assert (await one.probe()).state is State.UP
        assert await one.forward("hello") == "hello"
        for channel in held:
            await channel.__aexit__(None, None, None)
        async with one.channel():
            pass
        await one.close()
