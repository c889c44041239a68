"""One connection as long as it is in use: its limits, and the calls that go by it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

from antiphon_server.integration.breakers.model import Target as SwitchTarget
from antiphon_server.integration.breakers.model import connection_target
from antiphon_server.integration.connections.guard import Guard
from antiphon_server.integration.connections.health import PROBE_S, Health
from antiphon_server.integration.connections.model import (
    USABLE,
    Answered,
    Connection,
    Forwarded,
    Status,
    leads_to,
    unsupported,
)
from antiphon_server.integration.connections.outcomes import Outcomes
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
from antiphon_server.runtime.concurrency.breaker import (
    USUAL,
    Breaker,
    Limits,
)
from antiphon_server.runtime.concurrency.breaker import State as BreakerState
from antiphon_server.runtime.errors import DomainError, Reason

log = logging.getLogger(__name__)

MOST_CHANNELS = 32
"""WebSockets that people have open by one connection on this server."""
ASKING_S = 1500.0
"""So much longer than its limit a call may last that asks people, in all its rounds."""


T = TypeVar("T")


class Supervised:
    """A source of tools, whose connection one task probes until it is closed.

    Its breaker has calls refused that would fail, whatever its probes say.
    """

    trusted = False

    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        told: Told,
        *,
        probe_s: float = PROBE_S,
        breaker: Limits = USUAL,
    ) -> None:
        self.connection, self.leads_to = connection, leads_to(connection)
        self.used = time.monotonic()
        self._outcomes = Outcomes(breaker, self._turned)
        self._health = Health(connection, kind, told, self._outcomes, probe_s)
        self._guard = Guard(connection.name, self._outcomes, self._health)
        self._places = asyncio.Semaphore(connection.limits.max_calls)
        self._calls, self._channels, self._idle = 0, 0, asyncio.Event()
        self._idle.set()

    @property
    def name(self) -> SourceName:
        """The connection's name."""
        return self.connection.name

    @property
    def status(self) -> Status:
        """What is known now."""
        return self._health.status

    @property
    def away(self) -> bool:
        """Whether calls are refused without being tried."""
        status = self.status
        return status.state not in USABLE or status.breaker.state is BreakerState.OPEN

    @property
    def busy(self) -> bool:
        """Whether calls run on it, which may wait for people for long."""
        return not self._idle.is_set()

    @property
    def why(self) -> Mapping[str, str]:
        """See :attr:`~antiphon_server.integration.tools.ports.Source.why`."""
        status = self.status
        if status.breaker.by_hand or status.state in USABLE:
            return self._guard.why
        reason, metadata = status.error_reason, status.error_metadata
        state = {"state": status.state.name}
        if reason and "cause" not in metadata and reason != Reason.CONNECTION_UNAVAILABLE.value:
            return {**state, "cause": reason}
        return state | {it: metadata[it] for it in ("cause", "http_status") if it in metadata}

    @property
    def retry_after_s(self) -> float | None:
        """See :attr:`~antiphon_server.integration.tools.ports.Source.retry_after_s`."""
        return self._outcomes.breaker.retry_after_s or None

    @property
    def switched_as(self) -> SwitchTarget:
        """How operators call it who open and close its breaker."""
        return connection_target(self.connection.workspace_id, self.name)

    @property
    def breaker(self) -> Breaker:
        """Whether calls are made, which an operator may say."""
        return self._outcomes.breaker

    def definitions(self) -> Mapping[ToolName, Definition]:
        """The tools that were told last; none of one that is disabled."""
        return self._health.definitions

    @property
    def known(self) -> asyncio.Event:
        """Set when it was probed once."""
        return self._health.known

    def start(self) -> None:
        """Begin to probe, unless it is disabled."""
        self._health.start()

    async def probe(self) -> Status:
        """Ask now whether it is there; what comes of it is its status."""
        return await self._health.probe()

    async def finish(self) -> None:
        """Close it when its calls have ended.

        None lasts longer than its limit and, as that stands still then, what it asks people.
        """
        try:
            await self._health.stop()
            async with asyncio.timeout(self.connection.limits.call_s + ASKING_S):
                await self._idle.wait()
        except TimeoutError:
            log.warning("calls of connection %s outlast their limit", self.name)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the probes, and the link with all that runs on it."""
        await self._health.close()

    async def call(self, call: Call) -> Result | Pause:
        """See :meth:`~antiphon_server.integration.tools.ports.Source.call`."""
        limit, place = call.limit(self.connection.limits.call_s), call.place(self._places)

        async def send(link: Link) -> Result | Pause:
            call.begins()
            return await link.call(call)

        try:
            result = await self._limited(send, limit, place, call.tool, call.timed_out)
        except DomainError as error:
            if self._outcomes.lack(call.tool, error.reason):
                self._health.look()
            raise
        self._outcomes.lack_no_more(call.tool)
        return result

    async def forward(self, request: Forwarded) -> Answered:
        """Send what a person has written, and return its answer.

        Raises DomainError FORWARD_UNSUPPORTED where its kind does not, and what :meth:`call`
        raises.
        """

        async def send(link: Link) -> Answered:
            if not isinstance(link, Forwards):
                raise unsupported(self.connection)
            return await link.forward(request)

        limit = asyncio.timeout(self.connection.limits.call_s)
        return await self._limited(send, limit, self._places, self.name)

    async def _limited(
        self,
        send: Callable[[Link], Awaitable[T]],
        limit: AbstractAsyncContextManager[asyncio.Timeout],
        place: AbstractAsyncContextManager[object],
        tool: str,
        timed_out: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send within one of its places; nobody waits for one where nothing is sent."""
        limited: asyncio.Timeout | None = None

        def over() -> bool:
            return timed_out() or (limited is not None and limited.expired())

        try:
            with self._busy():
                async with limit as limited:
                    self._guard.check()
                    async with place:
                        return await self._guard.sent(send, over)
        except TimeoutError:
            if limited is None or not limited.expired():
                raise
            timeout_ms = round(self.connection.limits.call_s * 1000)
            raise DomainError(Reason.TOOL_TIMEOUT, tool=tool, timeout_ms=timeout_ms) from None

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
        async def send(link: Link) -> Socket:
            if not isinstance(link, Channels):
                raise unsupported(self.connection)
            return await link.open()

        return await self._guard.sent(send)

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

    def _turned(self, state: BreakerState) -> None:
        by_hand = ", by hand" if self._outcomes.breaker.by_hand else ""
        log.warning("breaker of connection %s is %s%s", self.name, state.name, by_hand)
        self._health.turned()
