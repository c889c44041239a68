"""What servers do wrong while they answer: over HTTP and as programs, always with an end.

A server over HTTP is a real one on a port; a program is ``strange_server.py``.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.mcp.model import Config, Endpoint, Limits, Program
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
from antiphon_server.integration.tools.questions import Action, Answer, Attendance, Question
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.httpx2_transport import GuardedTransport
from tests.runtime.egress.places import HERE, guarded

STRANGE = str(Path(__file__).with_name("strange_server.py"))
LIMITS = Limits(open_s=30, call_s=2, max_bytes=1_000_000, max_rounds=3)
WITHIN_S = LIMITS.call_s + 8
MOST_GROWN = 64 * 1024 * 1024
"""Of memory, while a server sends 200 MB."""
ENDS = (
    Reason.CONNECTION_UNAVAILABLE,
    Reason.TOOL_CALL_LOST,
    Reason.TOOL_FAILED,
    Reason.TOOL_TIMEOUT,
    Reason.LIMIT_EXCEEDED,
)
PIECE = b"x" * 1_000_000
FORM = {"mode": "form", "message": "?", "requestedSchema": {"type": "object", "properties": {}}}


def _answer(number: object, **result: object) -> bytes:
    given = {"resultType": "complete", "content": [{"type": "text", "text": "here"}], **result}
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": given}).encode()


async def _answered(request: web.Request) -> web.StreamResponse:
    """As the tool's name says."""
    asked = await request.json()
    number, tool = asked.get("id"), asked.get("params", {}).get("name")
    if tool == "echo":
        return web.Response(body=_answer(number), content_type="application/json")
    if tool == "other_id":
        return web.Response(body=_answer(f"not-{number}"), content_type="application/json")
    if tool == "garbled":
        packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return web.Response(body=_answer(number), headers=packed)
    if tool == "asks":
        asks = {"q": {"method": "elicitation/create", "params": FORM}}
        told = _answer(number, resultType="input_required", inputRequests=asks)
        return web.Response(body=told, content_type="application/json")
    kind = "application/json" if tool in ("endless", "close") else "text/event-stream"
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    if tool == "endless":
        for _ in range(200):
            await response.write(PIECE)
    if tool in ("close", "close_stream"):
        start = b"data: " if tool == "close_stream" else b""
        await response.write(start + _answer(number)[:20])
        assert request.transport is not None
        request.transport.close()
    if tool == "chatter":
        params = {"level": "info", "data": "x" * 500}
        said = {"jsonrpc": "2.0", "method": "notifications/message", "params": params}
        while True:
            await response.write(b"data: " + json.dumps(said).encode() + b"\n\n")
    return response


@asynccontextmanager
async def _over_http() -> AsyncGenerator[McpConnection]:
    app = web.Application()
    app.router.add_post("/mcp", _answered)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    target = Endpoint(f"http://127.0.0.1:{runner.addresses[0][1]}/mcp")
    config = Config(SourceName("it"), target, "2026-07-28", LIMITS)
    connection = await open_connection(
        config, Outside(lambda: GuardedTransport(HERE, LIMITS.max_bytes))
    )
    try:
        yield connection
    finally:
        await connection.close()
        await runner.cleanup()


@asynccontextmanager
async def _program() -> AsyncGenerator[McpConnection]:
    target = Program(sys.executable, (STRANGE,))
    config = Config(SourceName("it"), target, "2025-11-25", LIMITS)
    connection = await open_connection(config, Outside(guarded))
    try:
        yield connection
    finally:
        await connection.close()


class Obliging:
    """Answers whatever is asked, at once, and calls again as often as a call pauses."""

    def __init__(self, connection: McpConnection) -> None:
        self._connection = connection
        self._attendance = Attendance(self._tell)

    async def _tell(self, question: Question) -> None:
        self._attendance.take(question.question_id, Answer(Action.ACCEPTED))

    async def call(self, tool: str) -> Result:
        while True:
            name = ToolName(f"it.{tool}")
            came = await self._connection.call(
                Call(ToolCallId("1"), name, {"text": "here"}, Caller("w"), self._attendance)
            )
            if isinstance(came, Result):
                return came
            self._attendance.state = came.state
            accepted = Answer(Action.ACCEPTED)
            self._attendance.answers = {it.question_id: accepted for it in came.questions}


BOTH = ["endless", "other_id", "close", "chatter", "asks"]
CASES = [
    *((_over_http, tool) for tool in (*BOTH, "close_stream", "garbled")),
    *((_program, tool) for tool in BOTH),
]


@pytest.mark.parametrize(("opened", "tool"), CASES)
async def test_it_ends_by_name_and_the_next_call_works(
    opened: Callable[[], AsyncGenerator[McpConnection]], tool: str
) -> None:
    """Too much of it, garbled, with another id, cut off, and noise and questions for ever."""
    async with opened() as connection:  # type: ignore[attr-defined]
        people, process = Obliging(connection), psutil.Process()
        assert (await people.call("echo")).parts[0].content == "here"
        began, before = time.monotonic(), process.memory_info().rss
        with pytest.raises(DomainError) as refused:
            await people.call(tool)
        assert refused.value.reason in ENDS
        assert time.monotonic() - began < WITHIN_S
        assert process.memory_info().rss - before < MOST_GROWN
        assert (await Obliging(connection).call("echo")).parts[0].content == "here"


async def test_a_program_that_never_stops_talking_is_ended() -> None:
    """It costs no processor time behind its call."""
    async with _program() as connection:
        people = Obliging(connection)
        await people.call("echo")
        with pytest.raises(DomainError):
            await people.call("chatter")
        await asyncio.sleep(1)
        before = os.times()
        await asyncio.sleep(1)
        after = os.times()
        assert after.user + after.system - before.user - before.system < 0.5
