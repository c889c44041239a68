"""One connection: one task owns its session, whoever calls; calls come and go beside it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import mcp_types as types
from mcp.client import Client, ClientRequestContext
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from antiphon_server.integration.connections.faults import (
    Cause,
    Fault,
    answered,
    fault_of,
    program_fault,
    unreachable,
)
from antiphon_server.integration.connections.mcp.adapters import results
from antiphon_server.integration.connections.mcp.adapters.asking import (
    RUNNING,
    Asking,
    Met,
    PausingClient,
)
from antiphon_server.integration.connections.mcp.adapters.bounded_http import (
    BROKEN_OFF,
    TOO_LONG,
    UNANSWERED,
    UNSENT,
    BoundedTransport,
    CalmClient,
)
from antiphon_server.integration.connections.mcp.adapters.counted import TOO_MANY, counted
from antiphon_server.integration.connections.mcp.adapters.credentials import signing
from antiphon_server.integration.connections.mcp.adapters.stdio import speaking
from antiphon_server.integration.connections.mcp.model import Config, Program
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.integration.tools.model import Call, Definition, Result, ToolName
from antiphon_server.integration.tools.questions import Pause
from antiphon_server.integration.tools.untrusted import Accepted, accepted
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.telemetry.structured import structlog

NAME = types.Implementation(name="antiphon", version="1")
IDEMPOTENCY_KEY = "antiphon/idempotency-key"
"""In ``_meta``: neither revision of MCP has a key of its own."""
_UNANSWERED = (
    UNANSWERED,
    "Connection closed",
    "SSE stream",
    f"Failed to parse JSON response: {BROKEN_OFF}",
)
"""How our HTTP and the SDK begin to tell of requests that were sent, and have no answer."""
ASKING_S = 600.0
"""So much longer than a call may be silent that waits for people."""
_TOO_MANY_REQUESTS = 429
_BROKEN_OFF = (Reason.TOOL_TIMEOUT, Reason.LIMIT_EXCEEDED)
logger = structlog.get_logger(__name__)


class McpConnection:
    """A source of tools. It is opened when it is first used, and again after it was lost."""

    def __init__(self, config: Config, outside: Outside) -> None:
        self._config, self._outside = config, outside
        self._auth = signing(config, outside)
        self._definitions: dict[ToolName, Definition] = {}
        self.told = Accepted({}, (), 0)
        self._lock, self._calls = asyncio.Lock(), 0
        self._asking: set[Asking] = set()
        self._owner: asyncio.Task[None] | None = None
        self._leave, self._hurried, self._closed = asyncio.Event(), False, False
        self._client: Client | None = None
        self._met = Met()  # by what no call asks

    def definitions(self) -> Mapping[ToolName, Definition]:
        """Those that were told last; asks nobody."""
        return self._definitions

    async def discover(self) -> Mapping[ToolName, Definition]:
        """Ask for all tools, unless what was told still holds (``ttlMs``).

        Raises DomainError CONNECTION_UNAVAILABLE.
        """
        self._met = Met()
        try:
            async with asyncio.timeout(self._config.limits.open_s):
                client = await self._opened()
                told = [tool async for tool in self._listed(client)]
        except (TimeoutError, MCPError, ValueError) as error:
            if self._lost(error):
                self._leave.set()
            raise self._unavailable(error, self._met) from error
        named = (results.definition(self._config.name, tool) for tool in told)
        self._take(accepted(named))
        return self._definitions

    def _take(self, told: Accepted) -> None:
        """Have these tools from now on; who operates the server is told of those left out, once."""
        if told.left_out and told.refused != self.told.refused:
            first = told.refused[0]
            left_out = {"left_out": told.left_out, "tool": first.name, "why": first.why}
            logger.warning("tools are left out", connection=self._config.name, **left_out)
        self.told, self._definitions = told, dict(told.definitions)

    async def ping(self) -> None:
        """Ask whether it is there, as its revision does.

        Raises DomainError CONNECTION_UNAVAILABLE.
        """
        try:
            async with asyncio.timeout(self._config.limits.open_s):
                client = await self._opened()
                if client.session.discover_result is not None:
                    await client.session.send_discover(client.protocol_version)
                else:
                    await client.session.send_ping()
        except (TimeoutError, MCPError) as error:
            raise self._unavailable(error, self._met) from error

    async def call(self, call: Call) -> Result | Pause:
        """Call a tool; a program that runs for this call alone ends when that is broken off.

        Raises DomainError TOOL_FAILED, TOOL_TIMEOUT, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
        """
        self._calls += 1
        try:
            return await self._call(call)
        except asyncio.CancelledError:
            self._broken_off(hurried=True)
            raise
        except DomainError as error:
            if error.reason in _BROKEN_OFF:
                self._broken_off(hurried=False)
            raise
        finally:
            self._calls -= 1

    def _broken_off(self, *, hurried: bool) -> None:
        """End the program that goes on with a call for nobody; but not while it has others."""
        if self._calls == 1 and isinstance(self._config.target, Program):
            self._hurried = self._hurried or hurried
            self._leave.set()

    async def close(self) -> None:
        """End the session; a program and all that it has started are gone afterwards."""
        self._closed = True  # who waits for it to be opened does not have it opened once more
        owner, self._client = self._owner, None
        self._leave.set()
        if owner is not None:
            done, _ = await asyncio.wait([owner], timeout=self._config.limits.close_s)
            if not done:
                owner.cancel()
                await asyncio.wait([owner], timeout=self._config.limits.close_s)
        if self._auth is not None:
            await self._auth.close(self._config.limits.close_s)

    async def _call(self, call: Call) -> Result | Pause:
        limits = self._config.limits
        try:
            async with asyncio.timeout(limits.open_s):
                client = await self._opened()
        except TimeoutError as error:
            raise self._unavailable(error, self._met) from error
        asking = Asking(call, limits.max_rounds, self._outside.sampling)
        try:
            return await self._asked_back(client, call, asking)
        except TimeoutError as error:
            timeout_ms = int(limits.call_s * 1000)
            timed_out = DomainError(Reason.TOOL_TIMEOUT, tool=call.tool, timeout_ms=timeout_ms)
            raise asking.refused or timed_out from error
        except (MCPError, RuntimeError, ValueError) as error:
            if self._lost(error):
                self._leave.set()
            raise self._failure(call, error, asking.met) from error

    async def _asked_back(self, client: Client, call: Call, asking: Asking) -> Result | Pause:
        """Call, and let the server ask people meanwhile."""
        name = call.tool.removeprefix(f"{self._config.name}.")
        known = self._definitions.get(call.tool)
        keyed = known is not None and known.annotations.idempotent

        async def send(
            responses: types.InputResponses | None, state: str | None
        ) -> types.CallToolResult:
            meta = {IDEMPOTENCY_KEY: asking.key} if keyed else None
            said = {"input_responses": responses, "request_state": state, "meta": meta}
            return await client.call_tool(name, call.arguments, **said)  # type: ignore[arg-type]

        running = RUNNING.set(asking)
        self._asking.add(asking)
        try:
            async with call.limit(self._config.limits.call_s) as limit:
                came = await asking.answered(send, limit)
        finally:
            self._asking.discard(asking)
            RUNNING.reset(running)
        return came if isinstance(came, Pause) else results.result(came)

    def _failure(self, call: Call, error: Exception, met: Met) -> DomainError:
        """What is said of a call without a result."""
        said = str(error)
        if isinstance(error, MCPError) and said.startswith(_UNANSWERED):
            return DomainError(Reason.TOOL_CALL_LOST, tool=call.tool)
        if self._lost(error) or said.startswith(UNSENT):
            return self._unavailable(error, met)
        if met.refused is not None:
            return met.refused
        why = f"code {error.code}" if isinstance(error, MCPError) else "answer not understood"
        if TOO_LONG in said:
            why = f"its answer has more than {self._config.limits.max_bytes} bytes"
        if TOO_MANY in said:
            why = "its answer has too many parts"
        return _failed(call, why, met.fault)

    def _lost(self, error: Exception) -> bool:
        """Whether the session is gone: the program has ended, or the server knows it no longer."""
        if not isinstance(error, MCPError):
            return False
        if isinstance(self._config.target, Program):
            return error.code == types.CONNECTION_CLOSED
        return error.message == "Session terminated"

    async def _opened(self) -> Client:
        async with self._lock:
            if self._owner is not None and self._leave.is_set():
                await asyncio.wait([self._owner])
            if self._closed:
                raise unreachable(self._config.name)
            if self._owner is None or self._owner.done():
                opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
                self._leave, self._hurried, self._met = asyncio.Event(), False, Met()
                self._owner = asyncio.create_task(self._own(opened, self._leave))
                self._client = await self._entered(opened)
            assert self._client is not None
            return self._client

    async def _entered(self, opened: "asyncio.Future[Client]") -> Client:
        """Wait for the session; where nobody waits any longer, its owner leaves."""
        try:
            return await opened
        except asyncio.CancelledError:
            assert self._owner is not None
            self._leave.set()
            self._owner.cancel()
            raise

    async def _own(self, opened: "asyncio.Future[Client]", leave: asyncio.Event) -> None:
        """Enter the session, keep it, leave it: all in this one task."""
        try:
            async with self._session() as client:
                client.session.validate_tool_result = _accepted  # type: ignore[method-assign,assignment]
                if not opened.done():
                    opened.set_result(client)
                await leave.wait()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # whatever the SDK or a transport raises; nobody else is hurt
            if not opened.done():
                refused = error if isinstance(error, DomainError) else None
                opened.set_exception(refused or self._unavailable(error, self._met))
        finally:
            opened.cancel()

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[Client]:
        limits, target = self._config.limits, self._config.target
        if isinstance(target, Program):
            with self._outside.places:
                async with self._client_of(
                    speaking(target, limits, lambda: self._hurried)
                ) as client:
                    yield client
            return
        timeout = httpx2.Timeout(limits.open_s, read=limits.call_s + ASKING_S)
        transport = BoundedTransport(self._outside.transport(), limits.max_bytes)
        http = CalmClient(transport=transport, auth=self._auth, timeout=timeout, trust_env=False)
        http.failed, http.answered = self._failed, self._answered
        async with http:
            streams = streamable_http_client(
                target.url, http_client=http, max_sse_event_size=limits.max_bytes
            )
            async with self._client_of(streams) as client:
                yield client

    def _client_of(self, streams: AbstractAsyncContextManager[TransportStreams]) -> Client:
        legacy = self._config.revision == "2025-11-25"
        return PausingClient(
            counted(streams),
            mode="legacy" if legacy else self._config.revision,
            client_info=NAME,
            elicitation_callback=self._asked,
            sampling_callback=self._sampled if self._outside.sampling else None,
            message_handler=self._heard,
        )

    async def _listed(self, client: Client) -> AsyncGenerator[types.Tool]:
        cursor, count = None, 0
        for _ in range(self._config.limits.max_pages):
            page = await client.list_tools(cursor=cursor)
            for tool in page.tools:
                count += 1
                if count > self._config.limits.max_tools:
                    return
                yield tool
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _asked(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Ask the people of the call that it belongs to."""
        asking = self._of()
        return await asking.ask(params) if asking else types.ElicitResult(action="decline")

    async def _sampled(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        """Have a model asked for the call that it belongs to."""
        asking = self._of()
        if asking is None:
            return types.ErrorData(code=types.INVALID_REQUEST, message="for which call?")
        return await asking.sample(params)

    def _of(self) -> Asking | None:
        """The call that asks. Programs do not say which: of several at once it is none."""
        asking = RUNNING.get()
        if asking is None and len(self._asking) == 1:
            (asking,) = self._asking
        return asking if asking in self._asking else None

    async def _heard(self, message: object) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self._outside.changed()

    def _failed(self, error: Exception) -> None:
        met = self._meets()
        if isinstance(error, DomainError):
            met.refused = error
        met.fault = fault_of(error)

    def _answered(self, status: int, retry_after: str) -> None:
        self._meets().fault = answered(status, retry_after) if status >= 400 else None

    def _meets(self) -> Met:
        """What the request belongs to: the SDK sends it in the context of its call."""
        asking = RUNNING.get()
        return asking.met if asking is not None and asking in self._asking else self._met

    def _unavailable(self, error: Exception, met: Met) -> DomainError:
        """What the transport has met, or else what the SDK has made of it."""
        return met.refused or unreachable(self._config.name, met.fault or self._fault_of(error))

    def _fault_of(self, error: Exception) -> Fault:
        if isinstance(self._config.target, Program):
            return program_fault(error)
        return fault_of(error) or Fault(Cause.NOT_THE_PROTOCOL)


def _failed(call: Call, why: str, fault: Fault | None) -> DomainError:
    """It was answered, and not with a result; perhaps by a status of HTTP, not by its tool."""
    status = fault.http_status if fault is not None else 0
    if fault is None or not status:
        return DomainError(Reason.TOOL_FAILED, tool=call.tool, why=why)
    if status >= 500 or status == _TOO_MANY_REQUESTS:
        why = f"HTTP {status}"
    return DomainError(
        Reason.TOOL_FAILED,
        tool=call.tool,
        why=why,
        http_status=status,
        retry_after=fault.retry_after_s,
    )


async def _accepted(_name: str, _result: types.CallToolResult) -> None:
    """The hub compares results with schemas and keeps those that break them.

    The SDK would list all tools for it, and lose the result of a tool that has run.
    """
