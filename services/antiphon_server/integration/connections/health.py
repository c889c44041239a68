"""How a connection is: its link, and the probes that say whether it is up."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from antiphon_server.integration.connections.faults import Cause, unreachable
from antiphon_server.integration.connections.model import Connection, State, Status
from antiphon_server.integration.connections.outcomes import Outcomes
from antiphon_server.integration.connections.ports import Kind, Link, Told
from antiphon_server.integration.tools.model import Definition, ToolName
from antiphon_server.runtime.concurrency.breaker import State as BreakerState
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.errors import DomainError, Reason

log = logging.getLogger(__name__)

PROBE_S = 30.0
FIRST_WAIT_S = 1.0
"""After the first failure; twice as long after each other one, up to PROBE_S."""
LONGEST_SAID = 300
_SAME = frozenset({"connection", "state"})


class Health:
    """Holds the one link of a connection, and probes it by a task until it is closed.

    ``outcomes`` are those of the calls, by which one that is there may be DEGRADED; ``known`` is
    set when it was probed once.
    """

    def __init__(
        self, connection: Connection, kind: Kind, told: Told, outcomes: Outcomes, probe_s: float
    ) -> None:
        self._connection, self._kind, self._told = connection, kind, told
        self._outcomes, self._probe_s = outcomes, probe_s
        state = State.DISABLED if connection.disabled else State.CONNECTING
        self._status = Status(state, _now_us())
        self._found: _Found | None = None
        self._last_told = _news(self.status)
        self._telling, self._tasks = asyncio.Lock(), TaskSet()
        self.definitions: Mapping[ToolName, Definition] = {}
        self._link: Link | None = None
        self._linking, self._closed = asyncio.Lock(), False
        self._failed, self._due = 0, asyncio.Event()
        self._probing, self.known = asyncio.Lock(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def status(self) -> Status:
        """What is known now."""
        return replace(self._status, breaker=self._outcomes.standing)

    def start(self) -> None:
        """Begin to probe, unless it is disabled."""
        if self._connection.disabled:
            self.known.set()
        else:
            self._task = asyncio.create_task(self._run(), name="integration.connection")

    async def stop(self) -> None:
        """End the probes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def close(self) -> None:
        """End the probes, and the link with all that runs on it."""
        await self.stop()
        await self._tasks.stop()
        async with self._linking:  # one that is being made is closed, too
            self._closed = True
        if self._link is not None:
            await self._link.close()

    async def linked(self) -> Link:
        """The link, which is made if there is none. Raises what its kind does."""
        async with self._linking:  # two would each make one, and one of them be lost
            if self._closed:
                raise unreachable(self._connection.name)
            if self._link is None:
                self._link = await self._kind.link(self._connection, self._due.set)
            return self._link

    def look(self) -> None:
        """Probe at once, not when it is due."""
        self._due.set()

    def suspect(self) -> None:
        """Probe at once, unless it is known to be away and probed often as it is."""
        if not self._failed:
            self._due.set()

    def turned(self) -> None:
        """Tell that its breaker was opened or closed, which changes how it is."""
        self._tasks.spawn("integration.connection.turned", self._say())

    async def probe(self) -> Status:
        """Ask now whether it is there; what comes of it is its status."""
        if self._connection.disabled:
            return self.status
        async with self._probing:
            began = time.monotonic()
            failed: DomainError | None = None
            try:
                async with asyncio.timeout(self._connection.limits.open_s):
                    self.definitions = await (await self.linked()).discover()
            except DomainError as error:
                failed = error
            except TimeoutError:
                failed = DomainError(Reason.DEADLINE_EXCEEDED, cause=Cause.TIMEOUT.name)
            except Exception:
                log.exception("connection %s could not be probed", self._connection.name)
                failed = DomainError(Reason.INTERNAL)
            self._failed = self._failed + 1 if failed else 0
            self._found = _Found(failed, round((time.monotonic() - began) * 1e6))
            if not failed and self._status.state is State.DOWN:
                self._outcomes.is_back()
            await self._say()
        return self.status

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

    async def _say(self) -> None:
        """Say anew how it is, and tell of what is news, one after the other."""
        async with self._telling:
            if self._found is not None:
                self._status = self._judged(self._found)
            status = self.status
            news = _news(status)
            if news != self._last_told:
                self._last_told = news
                await self._told(self._connection, status)

    def _judged(self, found: "_Found") -> Status:
        """By the last probe, and by what came of calls."""
        state, reason = State.UP, ""
        if found.failed is not None:
            state, reason = State.DOWN, found.failed.reason.value
        elif reason := self._outcomes.degraded:
            state = State.DEGRADED
        since = self._status.since_us if state is self._status.state else _now_us()
        said = _said(found.failed)
        return Status(state, since, reason, found.latency_us, len(self.definitions), said)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a probe has found: None if all was well."""

    failed: DomainError | None
    latency_us: int


def _said(failed: DomainError | None) -> Mapping[str, str]:
    """The variables of an error, but for those that are the same for every connection."""
    if failed is None:
        return {}
    why = {"why": failed.violations[0].description} if failed.violations else {}
    found = {**failed.metadata, **why}.items()
    return {name: said[:LONGEST_SAID] for name, said in found if name not in _SAME}


def _news(status: Status) -> tuple[object, ...]:
    """What people are told of when it changes."""
    breaker = status.breaker
    what = status.state, status.tools, status.error_reason, status.error_metadata
    return *what, breaker.state is BreakerState.CLOSED, breaker.by_hand


def _now_us() -> int:
    return time.time_ns() // 1000
