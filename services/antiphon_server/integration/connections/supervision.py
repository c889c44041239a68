"""One connection as long as it is in use: its limits, and the calls that go by it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

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
    Socket,
    Told,
)
from antiphon_server.integration.tools.model import Call, Definition, Result, SourceName, ToolName
from antiphon_server.integration.tools.questions import Pause
from antiphon_server.runtime.errors import DomainError, Reason

log = logging.getLogger(__name__)

MOST_CHANNELS = 32
"""WebSockets that people have open by one connection on this server."""
ASKING_S = 1500.0
"""So much longer than its limit a call may last that asks people, in all its rounds."""


class Supervised:
    """A source of tools, whose connection one task probes until it is closed."""

    trusted = False

    def __init__(
        self, connection: Connection, kind: Kind, told: Told, *, probe_s: float = PROBE_S
    ) -> None:
        self.connection, self.leads_to = connection, leads_to(connection)
        self.used = time.monotonic()
        self._outcomes = Outcomes()
        self._health = Health(connection, kind, told, self._outcomes, probe_s)
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
        return self._health.status.state not in USABLE

    @property
    def busy(self) -> bool:
        """Whether calls run on it, which may wait for people for long."""
        return not self._idle.is_set()

    @property
    def why(self) -> Mapping[str, str]:
        """See :attr:`~antiphon_server.integration.tools.ports.Source.why`."""
        reason, metadata = self._health.status.error_reason, self._health.status.error_metadata
        state = {"state": self._health.status.state.name}
        if reason and "cause" not in metadata and reason != Reason.CONNECTION_UNAVAILABLE.value:
            return {**state, "cause": reason}
        return state | {it: metadata[it] for it in ("cause", "http_status") if it in metadata}

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
        try:
            async with self._limited(limit, place, call.tool):
                link = await self._health.linked()
                call.begins()
                result = await link.call(call)
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
        limit = asyncio.timeout(self.connection.limits.call_s)
        async with self._limited(limit, self._places, self.name):
            link = await self._health.linked()
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
        link = await self._health.linked()
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

    def _remember(self, reason: Reason | None) -> None:
        """Keep what came of a call; the first of many failures is a reason to look at once."""
        if self._outcomes.remember(reason):
            self._health.suspect()
