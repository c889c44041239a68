"""Calls by a WebSocket, to servers that misbehave, too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from antiphon_server.integration.connections.adapters.web_socket import AiohttpSocket, Sockets
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.adapters.web_socket_link import WebSocketLink
from antiphon_server.integration.connections.model import (
    Bearer,
    Connection,
    Limits,
    WebSocket,
    WebSocketTool,
)
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Json,
    Result,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.dialling import Dialler
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.integration.connections.web_sockets.strange_server import strange
from tests.runtime.egress.forms import ALL
from tests.runtime.egress.places import LOOPBACK, canary

METHODS = ("echo", "later", "never", "fail", "other", "close", "huge", "flood")
LOCAL = EgressPolicy.allowing([], ["127.0.0.0/8"])


class OneSecret:
    """Knows one secret, whatever it is called."""

    async def value(self, workspace_id: str, name: SecretName) -> str:
        return "s3cret"


def connection(url: str, *, id_member: str = "id") -> Connection:
    tools = tuple(
        WebSocketTool(
            it, request=f'{{"jsonrpc": "2.0", "method": "{it}"}}', arguments_member="params"
        )
        for it in METHODS
    )
    target = WebSocket(url, "", tools, id_member, "result", "error")
    limits = Limits(call_s=2, max_bytes=100_000, open_s=2)
    secret = Bearer(SecretName("key"))
    return Connection("ws_00000001", SourceName("it"), target, credential=secret, limits=limits)


@asynccontextmanager
async def linked(url: str, *, id_member: str = "id") -> AsyncIterator[WebSocketLink]:
    kind, one = WebSockets(LOCAL, OneSecret()), connection(url, id_member=id_member)
    await kind.check(one)
    link = await kind.link(one, lambda: None)
    try:
        yield link
    finally:
        await link.close()


async def call(
    link: WebSocketLink, method: str, within_s: float = 5.0, **arguments: Json
) -> Result:
    asked = Call(ToolCallId("1"), ToolName(f"it.{method}"), arguments, Caller("ws_00000001"))
    async with asyncio.timeout(within_s):
        return await link.call(asked)


async def test_answers_find_their_requests() -> None:
    """One that is later than the next; what has no request is dropped, an error is a failure."""
    async with strange() as url, linked(url) as link:
        assert set(await link.discover()) == {f"it.{it}" for it in METHODS}
        late, soon, other, failed = await asyncio.gather(
            call(link, "later", n=1),
            call(link, "echo", n=2),
            call(link, "other", n=3),
            call(link, "fail"),
        )
        assert [it.parts[0].content for it in (late, soon, other)] == [
            '{"n": 1}',
            '{"n": 2}',
            '{"n": 3}',
        ]
        assert failed.failed
        assert "-32603" in failed.parts[0].content


@pytest.mark.parametrize(
    ("method", "reason"), [("close", Reason.TOOL_CALL_LOST), ("huge", Reason.TOOL_FAILED)]
)
async def test_one_that_closes_in_mid_answer_is_named_and_comes_back(
    method: str, reason: Reason
) -> None:
    """By itself, or because a frame is too long: the next call opens another WebSocket."""
    async with strange() as url, linked(url) as link:
        with pytest.raises(DomainError) as caught:
            await call(link, method)
        assert caught.value.reason is reason
        assert (await call(link, "echo", n=1)).parts[0].content == '{"n": 1}'


@pytest.mark.parametrize("id_member", ["id", ""])
async def test_a_call_that_is_cancelled_costs_the_others_nothing(id_member: str) -> None:
    """Neither beside it, nor behind it where they go one at a time."""
    async with strange() as url, linked(url, id_member=id_member) as link:
        beside = asyncio.create_task(call(link, "later", n=1))
        await asyncio.sleep(0.05)
        hung = asyncio.create_task(call(link, "never"))
        await asyncio.sleep(0.05)
        assert (await beside).parts[0].content == '{"n": 1}'
        behind = asyncio.create_task(call(link, "echo", n=2))
        await asyncio.sleep(0.05)
        hung.cancel()
        assert (await behind).parts[0].content == '{"n": 2}'
        with pytest.raises(asyncio.CancelledError):
            await hung


class Slow(AiohttpSocket):
    """Takes its time to be closed."""

    async def close(self) -> None:
        try:
            await asyncio.sleep(2)
        finally:
            await super().close()


class SlowAtFirst(Sockets):
    """Whose first WebSocket is so."""

    opened = 0

    async def open(self) -> AiohttpSocket:
        self.opened += 1
        socket = await super().open()
        return Slow(socket._opened) if self.opened == 1 else socket


async def test_what_a_cancelled_call_leaves_is_gone_when_all_is_closed() -> None:
    """Where calls go one at a time it is a WebSocket, behind which the next one has another."""
    async with strange() as url:
        one = connection(url, id_member="")
        link = WebSocketLink(one, SlowAtFirst(one, OneSecret(), Dialler(LOCAL)))
        hung = asyncio.create_task(call(link, "never"))
        await asyncio.sleep(0.1)
        hung.cancel()
        await asyncio.wait([hung])
        assert (await call(link, "echo", n=1)).parts[0].content == '{"n": 1}'
        await link.close()
        assert "integration.websocket" not in [it.get_name() for it in asyncio.all_tasks()]


async def test_a_flood_costs_no_processor() -> None:
    """Whoever says more than a thousand messages a second waits; others are served meanwhile."""
    async with strange() as url, linked(url) as link, linked(url) as other:
        flooded = asyncio.create_task(call(link, "flood", 3.0))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        for _ in range(20):
            await call(other, "echo")
        assert time.monotonic() - began < 1
        with pytest.raises(TimeoutError):
            await flooded
        began = time.monotonic()
    assert time.monotonic() - began < 5


async def test_what_is_forwarded_has_a_socket_of_its_own() -> None:
    """It finds its answer by its id, is named when it has none, and costs the calls nothing."""
    async with strange() as url, linked(url) as link:
        told = await link.forward('{"id": 9, "method": "other", "params": 1}')
        assert told == '{"jsonrpc": "2.0", "id": 9, "result": 1}'
        beside = asyncio.create_task(call(link, "later", n=1))
        with pytest.raises(DomainError) as caught:
            await link.forward('{"id": 9, "method": "huge"}')
        assert (caught.value.reason, "1009" in caught.value.metadata["why"]) == (
            Reason.TOOL_FAILED,
            True,
        )
        hung = asyncio.create_task(link.forward('{"id": 9, "method": "never"}'))
        await asyncio.sleep(0.05)
        hung.cancel()
        assert (await beside).parts[0].content == '{"n": 1}'
        with pytest.raises(asyncio.CancelledError):
            await hung


async def test_no_redirect_is_followed_and_no_refusal_taken() -> None:
    """The canary is not visited; what is no WebSocket can't be reached."""
    async with canary() as found:

        async def redirect(request: web.Request) -> web.StreamResponse:
            assert request.headers["Authorization"] == "Bearer s3cret"
            place = f"http://{LOOPBACK}:{found.port}/"
            return web.Response(status=302, headers={"Location": place})

        async with strange(redirect) as url, linked(url) as link:
            with pytest.raises(DomainError) as caught:
                await call(link, "echo")
            assert caught.value.reason is Reason.CONNECTION_UNAVAILABLE
            with pytest.raises(DomainError, match="CONNECTION_UNAVAILABLE"):
                await link.open()
    assert found.visits == 0


async def test_no_form_of_a_private_address_is_reached() -> None:
    """Neither by its forms, nor by a name that leads to one."""
    kind = WebSockets(EgressPolicy(), OneSecret())
    async with canary() as found:
        for form in ALL:
            one = connection(f"ws://{form}:{found.port}/")
            with pytest.raises(DomainError, match="EGRESS_DENIED"):
                await kind.check(one)
        link = await kind.link(connection(f"ws://localhost:{found.port}/"), lambda: None)
        with pytest.raises(DomainError, match="EGRESS_DENIED"):
            await call(link, "echo")
        with pytest.raises(DomainError, match="EGRESS_DENIED"):
            await link.open()
        await link.close()
    assert found.visits == 0
