"""The composition root's slice for schedules: every concrete class in its place."""

from dataclasses import dataclass

import grpc

from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import (
    add_ScheduleServiceServicer_to_server,
)
from antiphon_server.dispatcher.scheduling_room import TurnDoors
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.turns import DispatchedTurns
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.schedules import Schedules
from antiphon_server.scheduling.servicer import ScheduleServicer


@dataclass(frozen=True, slots=True)
class ComposedScheduling:
    """See :class:`~antiphon_server.dispatcher.scheduling_room.SchedulingRoom`."""

    servicer: ScheduleServicer
    firing: Firing

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`SchedulingRoom.register`."""
        add_ScheduleServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`SchedulingRoom.start`."""
        lifecycle.spawn("schedules.due", self.firing.run(), vital=False)


def compose_scheduling(
    infrastructure: Infrastructure, links: Links, doors: TurnDoors
) -> ComposedScheduling:
    """Put schedules on what the dispatcher has."""
    store = SqlSchedules(infrastructure.database)
    servicer = ScheduleServicer(Schedules(store), doors.calls, doors.conversations)
    starter = DispatchedTurns(doors.posting, AuthServiceStub(links.internal))
    return ComposedScheduling(servicer, Firing(store, starter))
