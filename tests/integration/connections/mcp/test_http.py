"""Servers over HTTP that misbehave, and tokens that have ended."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine

import httpx2
import pytest
from structlog.testing import capture_logs

from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.mcp.model import Config, Endpoint, Limits, OAuth
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Result,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.runtime.errors.domain_error import DomainError, Reason

URL = "http://outside.test/mcp"
LIMITS = Limits(open_s=10, call_s=2, max_bytes=100_000, max_rounds=3)
Answers = (
    Callable[[httpx2.Request], httpx2.Response]
    | Callable[[httpx2.Request], Coroutine[None, None, httpx2.Response]]
)


async def connection(
    answers: Answers, credential: OAuth | None = None, store: "Memory | None" = None
) -> McpConnection:
    config = Config(SourceName("it"), Endpoint(URL, credential), "2026-07-28", LIMITS)
    return await open_connection(
        config, Outside(lambda: httpx2.MockTransport(answers), tokens=store)
    )


def call(tool: str) -> Call:
    return Call(ToolCallId("1"), ToolName(f"it.{tool}"), {}, Caller("w"))


def answered(request: httpx2.Request, **result: object) -> httpx2.Response:
    number = json.loads(request.content)["id"]
    given = {"resultType": "complete", "content": [], **result}
    return httpx2.Response(200, json={"jsonrpc": "2.0", "id": number, "result": given})


class Endless(httpx2.AsyncByteStream):
    """Bytes for ever."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield self._piece


class Broken(httpx2.AsyncByteStream):
    """A body that breaks off behind its first piece."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._piece
        raise httpx2.ReadError("reset")


def strange(request: httpx2.Request) -> httpx2.Response:
    """Does as the tool's name says."""
    tool = json.loads(request.content)["params"].get("name")
    if tool == "json":
        return httpx2.Response(
            200, headers={"content-type": "application/json"}, stream=Endless(b"x" * 1000)
        )
    if tool in ("event", "events"):
        piece = b"x" * 1000 if tool == "event" else b": still here\n\n"
        return httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, stream=Endless(piece)
        )
    if tool == "compressed":
        return httpx2.Response(200, headers={"content-encoding": "br"}, content=b"x")
    if tool == "gone":
        raise httpx2.ConnectError("refused", request=request)
    if tool == "refused":
        raise DomainError(Reason.EGRESS_DENIED, host="x", why="it is somewhere else")
    if tool == "coded":
        error = {"code": -32001, "message": "no"}
        number = json.loads(request.content)["id"]
        return httpx2.Response(200, json={"jsonrpc": "2.0", "id": number, "error": error})
    if tool == "dropped":
        raise httpx2.RemoteProtocolError("it ended", request=request)
    if tool == "broken":
        return httpx2.Response(
            200, headers={"content-type": "application/json"}, stream=Broken(b'{"jsonrpc"')
        )
    if tool == "texts":
        return answered(request, content=[{"type": "text", "text": ""}] * 90_000)
    if tool == "objects":
        return answered(request, content=[{"type": "text", "text": ""}] * 200_000)
    if tool == "numbers":
        return answered(request, content=[0] * 2_000_000)
    if tool == "asks":
        question = {"method": "elicitation/create", "params": _question()}
        return answered(request, resultType="input_required", inputRequests={"q": question})
    return answered(request, content=[{"type": "text", "text": "here"}])


def _question() -> dict[str, object]:
    return {"mode": "form", "message": "?", "requestedSchema": {"type": "object", "properties": {}}}


@pytest.mark.parametrize(
    ("tool", "reason"),
    [
        ("json", Reason.TOOL_FAILED),
        ("event", Reason.TOOL_CALL_LOST),
        ("events", Reason.TOOL_CALL_LOST),
        ("compressed", Reason.TOOL_CALL_LOST),
        ("gone", Reason.CONNECTION_UNAVAILABLE),
        ("dropped", Reason.TOOL_CALL_LOST),
        ("broken", Reason.TOOL_CALL_LOST),
        ("asks", Reason.LIMIT_EXCEEDED),
        ("texts", Reason.TOOL_FAILED),
        ("objects", Reason.TOOL_FAILED),
        ("numbers", Reason.TOOL_FAILED),
    ],
)
async def test_a_bad_answer_ends_its_own_call_alone(tool: str, reason: Reason) -> None:
    """Endless bodies and events, many parts, compression, ends of connections, endless questions.

    Where the server may have done it, the call is lost, and not just unavailable.
    """
    outside = await connection(strange)
    try:
        bad, good = await asyncio.gather(
            outside.call(call(tool)), outside.call(call("good")), return_exceptions=True
        )
        assert isinstance(bad, DomainError)
        assert bad.reason is reason
        assert isinstance(good, Result)
        assert good.parts[0].content == "here"
    finally:
        await outside.close()


class Memory:
    """A store of one secret, which outlives a connection and is shared by servers."""

    def __init__(self, kept: str) -> None:
        self.kept, self.version = kept, 1

    async def load(self) -> tuple[str, int]:
        await asyncio.sleep(0)
        return self.kept, self.version

    async def save(self, granted: str, seen: int) -> int | None:
        await asyncio.sleep(0)
        if seen != self.version:
            return None
        self.kept, self.version = granted, seen + 1
        return self.version


GRANTED: dict[str, dict[str, object]] = {
    "tokens": {"access_token": "old", "token_type": "Bearer", "refresh_token": "r1"},
    "client": {"client_id": "us", "redirect_uris": ["http://localhost/back"]},
    "server": {
        "issuer": "http://issuer.test",
        "authorization_endpoint": "http://issuer.test/authorize",
        "token_endpoint": "http://issuer.test/token",
        "response_types_supported": ["code"],
    },
}


def listed(request: httpx2.Request) -> httpx2.Response:
    """Three tools, of which two would pass for the first one."""
    named = [
        {"name": name, "inputSchema": {"type": "object"}, "description": "It\u202e reads."}
        for name in ("read", "re\u200bad", "Read")
    ]
    return answered(request, tools=named, ttlMs=0, cacheScope="private")


async def test_tools_that_would_pass_for_others_are_left_out() -> None:
    """The others are there; it is said once, however often they are listed."""
    outside = await connection(listed)
    with capture_logs() as said:
        for _ in range(2):
            found = await outside.discover()
            assert [it.description for it in found.values()] == ["It\ufffd reads."]
    assert (list(found), outside.told.left_out) == (["it.read"], 2)
    assert [line["event"] for line in said] == ["tools are left out"]
    await outside.close()


async def test_of_100_refused_calls_one_refreshes_the_token_and_it_is_kept() -> None:
    """All 100 succeed, the refresh goes to the issuer once, and a restart needs none."""
    refreshed: list[str] = []

    def answers(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "issuer.test":
            refreshed.append(request.url.path)
            new = {"access_token": "new", "token_type": "Bearer", "expires_in": 3600}
            return httpx2.Response(200, json=new)
        if request.headers.get("authorization") != "Bearer new":
            return httpx2.Response(401)
        return answered(request)

    store, person = Memory(json.dumps(GRANTED)), OAuth("http://localhost/back")
    for _ in range(2):
        outside = await connection(answers, person, store)
        try:
            await asyncio.gather(*(outside.call(call("good")) for _ in range(100)))
        finally:
            await outside.close()
    assert refreshed == ["/token"]
    kept = json.loads(store.kept)
    assert kept["tokens"]["refresh_token"] == "r1"
    assert kept["expires_at"] > 0


async def test_without_a_person_nobody_is_asked() -> None:
    """The connection says that it lacks a consent, and asks nobody anything."""
    asked: list[str] = []

    def answers(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(401)

    outside = await connection(answers, OAuth("http://localhost/back", client_id="us"))
    try:
        with pytest.raises(DomainError) as refused:
            await outside.call(call("good"))
        assert refused.value.reason is Reason.AUTHORIZATION_REQUIRED
        assert not asked
    finally:
        await outside.close()


class Rotating:
    """An issuer whose refresh tokens may be used once, and whose tokens end at will."""

    def __init__(self) -> None:
        self.number, self.reused = 1, 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.host != "issuer.test":
            sent = request.headers.get("authorization")
            return answered(request) if sent == f"Bearer a{self.number}" else httpx2.Response(401)
        if f"refresh_token=r{self.number}&" not in f"{request.content.decode()}&":
            self.reused += 1
            return httpx2.Response(400, json={"error": "invalid_grant"})
        self.number += 1
        new = {"access_token": f"a{self.number}", "refresh_token": f"r{self.number}"}
        return httpx2.Response(200, json={**new, "token_type": "Bearer", "expires_in": 3600})


async def test_servers_that_race_lose_no_grant() -> None:
    """A refresh token that may be used once is used once, by one of four servers."""
    issuer, store = Rotating(), Memory(json.dumps(GRANTED))
    servers = [await connection(issuer, OAuth(), store) for _ in range(4)]
    try:
        for rounds in range(1, 6):
            await asyncio.gather(*(it.call(call("good")) for it in servers for _ in range(5)))
            assert (issuer.number, issuer.reused) == (rounds + 1, 0)
            kept = json.loads(store.kept)
            assert kept["tokens"]["refresh_token"] == f"r{issuer.number}"
            kept["expires_at"] = 1.0
            for server in servers:
                await server.close()
            store.kept, store.version = json.dumps(kept), store.version + 1
            servers = [await connection(issuer, OAuth(), store) for _ in range(4)]
    finally:
        for server in servers:
            await server.close()


async def test_a_call_that_is_cancelled_loses_no_token() -> None:
    """The refresh goes on, and what it brings is kept."""
    issuer, store, asked = Rotating(), Memory(json.dumps(GRANTED)), asyncio.Event()

    async def answers(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "issuer.test":
            asked.set()
            await asyncio.sleep(0.2)
        return issuer(request)

    outside = await connection(answers, OAuth(), store)
    running = asyncio.create_task(outside.call(call("good")))
    await asked.wait()
    running.cancel()
    await asyncio.wait([running])
    await outside.close()
    assert json.loads(store.kept)["tokens"]["refresh_token"] == "r2"


async def test_an_issuer_that_is_down_costs_no_grant() -> None:
    """It is asked again later."""
    down, issuer, store = True, Rotating(), Memory(json.dumps(GRANTED))

    def answers(request: httpx2.Request) -> httpx2.Response:
        if down and request.url.host == "issuer.test":
            return httpx2.Response(503)
        return issuer(request)

    outside = await connection(answers, OAuth(), store)
    with pytest.raises(DomainError) as refused:
        await outside.call(call("good"))
    assert refused.value.reason is Reason.CONNECTION_UNAVAILABLE
    down = False
    await outside.call(call("good"))
    assert issuer.number == 2
    await outside.close()


async def test_one_that_is_closed_is_opened_by_nobody() -> None:
    """Who comes late is told that it can't be reached."""
    outside = await connection(strange)
    await outside.close()
    with pytest.raises(DomainError) as refused:
        await outside.call(call("good"))
    assert refused.value.reason is Reason.CONNECTION_UNAVAILABLE


async def test_each_call_has_its_own_end() -> None:
    """What one has met on its way says nothing of those beside it."""
    outside = await connection(strange)
    try:
        tools = ["refused", "coded", "gone", "coded", "refused"]
        ends = await asyncio.gather(
            *(outside.call(call(tool)) for tool in tools), return_exceptions=True
        )
        assert [it.reason for it in ends if isinstance(it, DomainError)] == [
            Reason.EGRESS_DENIED,
            Reason.TOOL_FAILED,
            Reason.CONNECTION_UNAVAILABLE,
            Reason.TOOL_FAILED,
            Reason.EGRESS_DENIED,
        ]
    finally:
        await outside.close()
