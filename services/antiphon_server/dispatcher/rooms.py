"""The rooms beside the dispatcher that are part of its service, all of them at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import grpc

    from antiphon_server.dispatcher.masking_room import ComposeMasking
    from antiphon_server.dispatcher.notifying_room import ComposeNotifying, NotifyingRoom
    from antiphon_server.dispatcher.routing_room import ComposeRouting, RoutingRoom
    from antiphon_server.dispatcher.scheduling_room import ComposeScheduling, SchedulingRoom
    from antiphon_server.dispatcher.worker_room import ComposeWorkers, WorkerRoom
    from antiphon_server.runtime.process.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeRooms:
    """How they are put together; ``tables`` add theirs to the dispatcher's own.

    ``workers`` has handlers that dial in, ``routing`` finds handlers, ``scheduling`` starts turns
    by the clock, by ``masking`` answers are masked, and ``notifying`` tells who isn't looking.
    """

    tables: "Sequence[Callable[[], object]]"
    workers: "ComposeWorkers"
    routing: "ComposeRouting"
    scheduling: "ComposeScheduling"
    masking: "ComposeMasking"
    notifying: "ComposeNotifying"


@dataclass(frozen=True, slots=True)
class Rooms:
    """Those that hear of how the service begins and ends."""

    workers: "WorkerRoom"
    routes: "RoutingRoom"
    schedules: "SchedulingRoom"
    notifications: "NotifyingRoom"

    def register(self, server: "grpc.aio.Server") -> None:
        """Add their servicers to a server."""
        for room in (self.workers, self.routes, self.schedules, self.notifications):
            room.register(server)

    async def prepare(self, lifecycle: "Lifecycle") -> None:
        """Start the work of those that turns need, before any is taken on."""
        for room in (self.workers, self.routes):
            await room.start(lifecycle)

    async def begin(self, lifecycle: "Lifecycle") -> None:
        """Start the work of those that need turns, when they are taken on."""
        for room in (self.schedules, self.notifications):
            await room.start(lifecycle)

    def collectors(self) -> Iterator[Any]:
        """Their collectors for prometheus_client."""
        for room in (self.workers, self.schedules, self.notifications):
            yield from room.collectors()
