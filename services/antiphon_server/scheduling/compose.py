"""The composition root's slice for schedules: every concrete class in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceStub
from antiphon.dispatcher.v1.schedule_service_pb2_grpc import (
    add_ScheduleServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.dispatcher.scheduling_room import TurnDoors
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.profiles.reading import AuthServiceProfiles
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.scheduling.adapters.announcements import LoggedRuns
from antiphon_server.scheduling.adapters.run_metrics import RunMetrics
from antiphon_server.scheduling.adapters.sql_schedules import SqlSchedules
from antiphon_server.scheduling.adapters.tables import trail_outbox
from antiphon_server.scheduling.adapters.turns import DispatchedTurns
from antiphon_server.scheduling.firing import Firing
from antiphon_server.scheduling.fronts import ScheduleFront
from antiphon_server.scheduling.schedules import Schedules
from antiphon_server.scheduling.servicer import ScheduleServicer
from antiphon_server.scheduling.telling import Telling


@dataclass(frozen=True, slots=True)
class ComposedScheduling:
    """See :class:`~antiphon_server.dispatcher.scheduling_room.SchedulingRoom`."""

    servicer: ScheduleServicer
    firing: Firing
    telling: Telling
    trail: TrailRelay
    metrics: RunMetrics

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`SchedulingRoom.register`."""
        add_ScheduleServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`SchedulingRoom.start`."""
        lifecycle.on_stop("schedules' trail", self.trail.close)
        lifecycle.spawn("schedules.trail", self.trail.run(), vital=False)
        lifecycle.spawn("schedules.due", self.firing.run(), vital=False)
        lifecycle.spawn("schedules.told", self.telling.run(), vital=False)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`SchedulingRoom.collectors`."""
        return [self.metrics]


def compose_scheduling(
    infrastructure: Infrastructure, links: Links, doors: TurnDoors
) -> ComposedScheduling:
    """Put schedules on what the dispatcher has."""
    database, internal = infrastructure.database, links.internal
    store, metrics = SqlSchedules(database), RunMetrics()
    audit = AuditServiceTrail(AuditServiceStub(internal))
    trail = TrailRelay(SqlOutbox(database, trail_outbox), audit)
    profiles = AuthServiceProfiles(ProfileServiceStub(internal), infrastructure.profiles)
    schedules = Schedules(store, ScheduleFront(doors.conversations), profiles=profiles)
    servicer = ScheduleServicer(schedules, doors, trail)
    starter = DispatchedTurns(doors.posting, AuthServiceStub(internal))
    firing = Firing(store, starter, watch=metrics)
    telling = Telling(store, LoggedRuns(EventServiceStub(internal)))
    return ComposedScheduling(servicer, firing, telling, trail, metrics)
