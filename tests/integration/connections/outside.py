"""Real servers of each kind of connection, which do with calls as they are told."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from aiohttp import web

from antiphon_server.integration.connections.adapters.grpc_calls.kind import GrpcServers
from antiphon_server.integration.connections.adapters.mcp_kinds import McpPrograms, McpServers
from antiphon_server.integration.connections.adapters.rest_kind import RestServices
from antiphon_server.integration.connections.adapters.web_socket_kind import WebSockets
from antiphon_server.integration.connections.model import (
    Connection,
    Grpc,
    Limits,
    Mcp,
    McpProgram,
    OpenApi,
    ProgramId,
    Status,
    Target,
)
from antiphon_server.integration.connections.ports import Kind, Told
from antiphon_server.integration.connections.settings import ProgramSettings
from antiphon_server.integration.connections.supervision import Supervised
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.runtime.concurrency.breaker import USUAL
from antiphon_server.runtime.concurrency.breaker import Limits as BreakerLimits
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from tests.fakes.tool_server import RunLedger, Tools
from tests.integration.connections.grpc_calls.things import Given, Things, serving
from tests.integration.connections.rest.documents import document
from tests.integration.connections.web_sockets.strange_server import strange
from tests.integration.connections.web_sockets.test_calls import connection as web_socket

STRANGE = str(Path(__file__).parent / "mcp" / "strange_server.py")
KINDS = ("rest", "mcp", "grpc", "web_socket", "program")
NO_POLICY = EgressPolicy()
LOCAL = EgressPolicy.allowing([], ["127.0.0.0/8"])
_TOOLS = {"rest": "it.do", "mcp": "it.echo", "grpc": "it.Things.Echo"}
_BY_NAME = {
    "web_socket": {"hangs": "never", "dies": "close", "well": "echo", "fails": "fail"},
    "program": {"hangs": "deafen", "dies": "close", "well": "echo", "fails": "fail"},
}
"""Which tool of it does so, where the tools' names say what they do."""


class Outside:
    """What is outside; ``does`` is `well`, `hangs`, `dies`, `fails`, or a status of HTTP."""

    def __init__(self, kind: str) -> None:
        self.kind, self.does, self.headers = kind, "well", dict[str, str]()
        self.seen = 0
        self.port = 0
        self._tools: Tools | None = None

    def call(self, timed_out: Callable[[], bool] = lambda: False) -> Call:
        """A call of what does so."""
        named = _BY_NAME.get(self.kind)
        tool = _TOOLS[self.kind] if named is None else f"it.{named[self.does]}"
        arguments = {"what": "it"} if self.kind == "rest" else {}
        name, caller = ToolName(tool), Caller("ws_00000001")
        return Call(ToolCallId("1"), name, dict(arguments), caller, timed_out=timed_out)

    async def met(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """Do as it is told; None to answer well."""
        self.seen += 1
        match self.does:
            case "hangs":
                await asyncio.sleep(60)
            case "dies":
                assert request.transport is not None
                request.transport.abort()
            case status if status.isdecimal():
                return web.Response(status=int(status), headers=self.headers)
        return None

    async def rest(self, request: web.BaseRequest) -> web.StreamResponse:
        """A service over HTTP, whose document is always there."""
        if request.path == "/openapi.json":
            paths = {"/do/{what}": {"get": {"operationId": "do"}}}
            return web.json_response(document(paths))
        return await self.met(request) or web.json_response({"done": True})

    async def mcp(self, request: web.BaseRequest) -> web.StreamResponse:
        """A server of MCP, whose tools are always told."""
        asked = json.loads(await request.read())
        if asked.get("method") == "tools/call" and (met := await self.met(request)):
            return met
        assert self._tools is not None
        told = await self._tools.answer(asked)
        return web.Response(status=202) if told is None else web.json_response(told)

    @asynccontextmanager
    async def over_http(self, home: Path) -> AsyncIterator[None]:
        """Serve."""
        self._tools = Tools(RunLedger(home / "ledger"))
        runner = web.ServerRunner(
            web.Server(self.rest if self.kind == "rest" else self.mcp), shutdown_timeout=0.1
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await runner.cleanup()


class _Things(Things):
    """Does as it is told."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self._outside = outside

    async def echo(self, request: Any, context: Any) -> Any:
        self._outside.seen += 1
        match self._outside.does:
            case "hangs":
                await asyncio.sleep(60)
            case "dies":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
            case "fails":
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not so")
        return request


async def nobody(connection: Connection, status: Status | None) -> None:
    """Whom nothing needs to be told."""


@asynccontextmanager
async def serving_it(outside: Outside, home: Path) -> AsyncIterator[tuple[Kind, Target]]:
    """Its kind, and where it is."""
    given = Given()
    match outside.kind:
        case "rest":
            async with outside.over_http(home):
                kind: Kind = RestServices(NO_POLICY, given, given)  # type: ignore[arg-type]
                yield kind, OpenApi(f"http://localhost:{outside.port}/openapi.json")
        case "mcp":
            async with outside.over_http(home):
                kind = McpServers(NO_POLICY, given)  # type: ignore[arg-type]
                yield kind, Mcp(f"http://localhost:{outside.port}/mcp")
        case "grpc":
            async with serving(_Things(outside)) as port:
                kind = GrpcServers(NO_POLICY, given, given)  # type: ignore[arg-type]
                yield kind, Grpc(f"http://localhost:{port}")
        case "web_socket":
            async with strange() as url:
                kind = WebSockets(LOCAL, given)  # type: ignore[arg-type]
                yield kind, web_socket(url).target
        case _:
            programs = {ProgramId("p"): ProgramSettings(sys.executable, (STRANGE,))}
            yield McpPrograms(programs), McpProgram(ProgramId("p"))


@asynccontextmanager
async def supervised(
    outside: Outside,
    home: Path,
    *,
    limits: Limits | None = None,
    breaker: BreakerLimits = USUAL,
    told: Told = nobody,
) -> AsyncIterator[Supervised]:
    """A connection to it, which was probed once."""
    async with serving_it(outside, home) as (kind, target):
        known = Connection("", SourceName("it"), target, limits=limits or Limits())
        one = Supervised(known, kind, told, breaker=breaker)
        await one.probe()
        try:
            yield one
        finally:
            await one.close()
