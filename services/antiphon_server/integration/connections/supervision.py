"""One connection as long as it is in use: probed, counted, told about."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from antiphon_server.integration.connections.faults import Cause, unreachable
from antiphon_server.integration.connections.model import (
    USABLE,
    Answered,
    Connection,
    Forwarded,
    State,
    Status,
    leads_to,
    unsupported,
)
from antiphon_server.integration.connections.ports import (
    Channels,
    Forwards,
    Kind,
    Link,
    Socket,
    Told,
)
from antiphon_server.integration.tools.model import Call, Definition, Result, SourceName, ToolName
from antiphon_server.integration.tools.questions import Pause
from antiphon_server.runtime.errors import DomainError, Reason

log = logging.getLogger(__name__)

PROBE_S = 30.0
FIRST_WAIT_S = 1.0
"""After the first failure; twice as long after each other one, up to PROBE_S."""
REMEMBERED = 10
FAILURES = 3
"""So many of the calls that are remembered make it DEGRADED."""
MOST_CHANNELS = 32
"""WebSockets that people have open by one connection on this server."""
ASKING_S = 1500.0
"""So much longer than its limit a call may last that asks people, in all its rounds."""
LONGEST_SAID = 300
_SAME = frozenset({"connection", "state"})
_ITS_FAULT = (Reason.CONNECTION_UNAVAILABLE, Reason.TOOL_TIMEOUT, Reason.TOOL_CALL_LOST)


class Supervised:
    """A source of tools, whose connection one task probes until it is closed."""

    trusted = False

    def __init__(
        self, connection: Connection, kind: Kind, told: Told, *, probe_s: float = PROBE_S
    ) -> None:
        self.connection, self.leads_to = connection, leads_to(connection)
        self.used = time.monotonic()
        self._kind, self._told, self._probe_s = kind, told, probe_s
        state = State.DISABLED if connection.disabled else State.CONNECTING
        self._status = Status(state, _now_us())
        self._definitions: Mapping[ToolName, Definition] = {}
        self._link: Link | None = None
        self._linking, self._closed = asyncio.Lock(), False
        self._places = asyncio.Semaphore(connection.limits.max_calls)
        self._failures: deque[str] = deque(maxlen=REMEMBERED)
        self._failed, self._due = 0, asyncio.Event()
        self._lacking: set[ToolName] = set()
        self._calls, self._channels, self._idle = 0, 0, asyncio.Event()
        self._idle.set()
        self._probing, self.known = asyncio.Lock(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> SourceName:
        """The connection's name."""
        return self.connection.name

    @property
    def status(self) -> Status:
        """What is known now."""
        return self._status

    @property
    def away(self) -> bool:
        """Whether calls are refused without being tried."""
        return self._status.state not in USABLE

    @property
    def busy(self) -> bool:
        """Whether calls run on it, which may wait for people for long."""
        return not self._idle.is_set()

    @property
    def why(self) -> Mapping[str, str]:
        """See :attr:`~antiphon_server.integration.tools.ports.Source.why`."""
        reason, metadata = self._status.error_reason, self._status.error_metadata
        state = {"state": self._status.state.name}
        if reason and "cause" not in metadata and reason != Reason.CONNECTION_UNAVAILABLE.value:
            return {**state, "cause": reason}
        return state | {it: metadata[it] for it in ("cause", "http_status") if it in metadata}

    def definitions(self) -> Mapping[ToolName, Definition]:
        """The tools that were told last; none of one that is disabled."""
        return self._definitions

    def start(self) -> None:
        """Begin to probe, unless it is disabled."""
        if self.connection.disabled:
            self.known.set()
        else:
            self._task = asyncio.create_task(self._run(), name="integration.connection")

    async def finish(self) -> None:
        """Close it when its calls have ended.

        None lasts longer than its limit and, as that stands still then, what it asks people.
        """
        try:
            await self._stop_probing()
            async with asyncio.timeout(self.connection.limits.call_s + ASKING_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls of connection %s outlast their limit", self.name)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the probes, and the link with all that runs on it."""
        await self._stop_probing()
        async with self._linking:  # one that is being made is closed, too
            self._closed = True
        if self._link is not None:
            await self._link.close()

    async def call(self, call: Call) -> Result | Pause:
        """See :meth:`~antiphon_server.integration.tools.ports.Source.call`."""
        limit, place = call.limit(self.connection.limits.call_s), call.place(self._places)
        try:
            async with self._limited(limit, place, call.tool):
                link = await self._linked()
                call.begins()
                result = await link.call(call)
        except DomainError as error:
            self._lack(call.tool, error.reason)
            raise
        self._lacking.discard(call.tool)
        return result

    async def forward(self, request: Forwarded) -> Answered:
        """Send what a person has written, and return its answer.

        Raises DomainError FORWARD_UNSUPPORTED where its kind does not, and what :meth:`call`
        raises.
        """
        limit = asyncio.timeout(self.connection.limits.call_s)
        async with self._limited(limit, self._places, self.name):
            link = await self._linked()
            if not isinstance(link, Forwards):
                raise unsupported(self.connection)
            return await link.forward(request)

    @asynccontextmanager
    async def _limited(
        self,
        limit: AbstractAsyncContextManager[asyncio.Timeout],
        place: AbstractAsyncContextManager[object],
        tool: str,
    ) -> AsyncIterator[None]:
        """One of its places as long as the block runs, what comes of which is remembered."""
        limited: asyncio.Timeout | None = None
        try:
            with self._busy():
                async with limit as limited, place:
                    yield
        except DomainError as error:
            self._remember(error.reason)
            raise
        except TimeoutError:
            if limited is None or not limited.expired():
                raise
            self._remember(Reason.TOOL_TIMEOUT)
            timeout_ms = round(self.connection.limits.call_s * 1000)
            raise DomainError(Reason.TOOL_TIMEOUT, tool=tool, timeout_ms=timeout_ms) from None
        self._remember(None)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Socket]:
        """A WebSocket for a person, as long as the block runs.

        Raises DomainError LIMIT_EXCEEDED, FORWARD_UNSUPPORTED where its kind has none, and what
        opening it raises.
        """
        if self._channels >= MOST_CHANNELS:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_CHANNELS} relays a connection")
        self._channels += 1
        try:
            with self._busy():
                socket = await self._channel()
                try:
                    yield socket
                finally:
                    await socket.close()
        finally:
            self._channels -= 1

    async def _channel(self) -> Socket:
        link = await self._linked()
        if not isinstance(link, Channels):
            raise unsupported(self.connection)
        try:
            return await link.open()
        except DomainError as error:
            self._remember(error.reason)
            raise

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """While it lasts nothing is closed that is finished."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def probe(self) -> Status:
        """Ask now whether it is there; what comes of it is its status."""
        if self.connection.disabled:
            return self._status
        async with self._probing:
            began = time.monotonic()
            failed: DomainError | None = None
            try:
                async with asyncio.timeout(self.connection.limits.open_s):
                    self._definitions = await (await self._linked()).discover()
            except DomainError as error:
                failed = error
            except TimeoutError:
                failed = DomainError(Reason.DEADLINE_EXCEEDED, cause=Cause.TIMEOUT.name)
            except Exception:
                log.exception("connection %s could not be probed", self.name)
                failed = DomainError(Reason.INTERNAL)
            self._failed = self._failed + 1 if failed else 0
            await self._set(failed, round((time.monotonic() - began) * 1e6))
        return self._status

    async def _run(self) -> None:
        while True:
            self._due.clear()
            await self.probe()
            self.known.set()
            wait = FIRST_WAIT_S * 2 ** min(self._failed - 1, 10) if self._failed else self._probe_s
            try:
                async with asyncio.timeout(min(wait, self._probe_s)):
                    await self._due.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(FIRST_WAIT_S)  # whoever says all the time that tools changed

    async def _stop_probing(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _linked(self) -> Link:
        async with self._linking:  # two would each make one, and one of them be lost
            if self._closed:
                raise unreachable(self.name)
            if self._link is None:
                self._link = await self._kind.link(self.connection, self._due.set)
            return self._link

    def _remember(self, reason: Reason | None) -> None:
        """Keep what came of a call; the first of many failures is a reason to look at once."""
        fault = reason in _ITS_FAULT
        self._failures.append(reason.value if reason is not None and fault else "")
        if fault and reason is not Reason.TOOL_TIMEOUT and not self._failed:
            self._due.set()

    def _lack(self, tool: ToolName, reason: Reason) -> None:
        """Show that a person has to consent to more; whoever does has all servers begin anew."""
        if reason is Reason.AUTHORIZATION_REQUIRED and tool not in self._lacking:
            self._lacking.add(tool)
            self._due.set()

    async def _set(self, failed: DomainError | None, latency_us: int) -> None:
        failures = [failure for failure in self._failures if failure]
        state = State.DOWN if failed else State.UP
        reason = failed.reason.value if failed else ""
        if not reason and len(failures) >= FAILURES:
            state, reason = State.DEGRADED, failures[-1]
        if not reason and self._lacking:
            state, reason = State.DEGRADED, Reason.AUTHORIZATION_REQUIRED.value
        before, tools = self._status, len(self._definitions)
        since = before.since_us if state is before.state else _now_us()
        self._status = Status(state, since, reason, latency_us, tools, _said(failed))
        if _told(self._status) != _told(before):
            await self._told(self.connection, self._status)


def _said(failed: DomainError | None) -> Mapping[str, str]:
    """The variables of an error, but for those that are the same for every connection."""
    if failed is None:
        return {}
    why = {"why": failed.violations[0].description} if failed.violations else {}
    found = {**failed.metadata, **why}.items()
    return {name: said[:LONGEST_SAID] for name, said in found if name not in _SAME}


def _told(status: Status) -> tuple[object, ...]:
    """What people are told of when it changes."""
    return status.state, status.tools, status.error_reason, status.error_metadata


def _now_us() -> int:
    return time.time_ns() // 1000
