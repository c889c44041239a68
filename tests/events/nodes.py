"""Logs of several nodes over one store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from antiphon_server.events.adapters.silent_bus import SilentBus
from antiphon_server.events.frames import Batch, Created, Ended
from antiphon_server.events.hubs import Hubs
from antiphon_server.events.log import EventLog
from antiphon_server.events.model import Appended, NewEvent, Scope
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.peer_commits import LookTimes
from antiphon_server.events.ports import Bus, LogStore
from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.process.lifecycle import Lifecycle
from tests.events.world import ANNA, SCOPE, Gate

MakeBus = Callable[[], Bus]


@dataclass(slots=True)
class Reader:
    """Follows a scope, and notes the offsets that it was given."""

    subscription: Subscription
    seen: list[int] = field(default_factory=list)
    position: int = 0

    async def run(self) -> None:
        """Read until cancelled. Raises AssertionError for what is missing, or comes twice."""
        async for frame in self.subscription.frames():
            if isinstance(frame, Created):
                self.position = frame.cursor.offset
            assert not isinstance(frame, Ended), frame
            if isinstance(frame, Batch):
                for record in frame.records:
                    assert record.first <= self.position + 1 <= record.last, record
                    self.position = record.last
                    self.seen.append(record.last)

    async def reached(self, offset: int, within_s: float = 10.0) -> None:
        """Return when everything up to ``offset`` was read. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while self.position < offset:  # noqa: ASYNC110  # any frame may bring it there
                await asyncio.sleep(0.002)


class Node:
    """The log of one process, and its readers."""

    def __init__(
        self, store: LogStore, bus: Bus, hubs: Hubs | None = None, times: LookTimes | None = None
    ) -> None:
        self.log = EventLog(store, bus=bus, hubs=hubs, look_times=times)
        self.gate = Gate()
        self.lifecycle = Lifecycle()

    async def start(self) -> None:
        """Serve."""
        assert self.log.peer_commits is not None
        self.lifecycle.spawn("log", self.log.run())
        self.lifecycle.spawn("peer_commits", self.log.peer_commits.run())

    async def append(self, *events: NewEvent, scope: Scope = SCOPE) -> Appended:
        """Commit events."""
        return await self.log.append(scope, events)

    async def reader(self, scope: Scope = SCOPE, *, ephemeral: bool = False) -> Reader:
        """Begin to read from the beginning."""
        subscription = Subscription(self.log, self.gate, ANNA, Pacing())
        self.lifecycle.on_stop("reader", _closing(subscription))
        request = WatchRequest("w", scope, from_latest=False, ephemeral=ephemeral)
        await subscription.create(request)
        reader = Reader(subscription)
        self.lifecycle.spawn("reader", reader.run())
        return reader

    def check(self) -> None:
        """No reader has found anything wrong."""
        assert not self.lifecycle.crashed.is_set()


def _closing(subscription: Subscription) -> Callable[[], "asyncio.Future[None]"]:
    def close() -> "asyncio.Future[None]":
        subscription.close()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    return close


@contextlib.asynccontextmanager
async def nodes(
    *stores: LogStore,
    bus: MakeBus = SilentBus,
    hubs: Callable[[], Hubs] = Hubs,
    times: LookTimes | None = None,
) -> AsyncIterator[list[Node]]:
    """A node for each store; the stores hold the same."""
    async with contextlib.AsyncExitStack() as stack:
        made = [Node(store, bus(), hubs(), times) for store in stores]
        for node in made:
            await stack.enter_async_context(node.lifecycle)
            await node.start()
        yield made
        for node in made:
            node.check()
