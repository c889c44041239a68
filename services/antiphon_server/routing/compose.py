"""The composition root's slice for routes: every concrete class in its place."""

from dataclasses import dataclass

import grpc

from antiphon.auth.v1.audit_service_pb2_grpc import AuditServiceStub
from antiphon.auth.v1.profile_service_pb2_grpc import ProfileServiceStub
from antiphon.dispatcher.v1.route_service_pb2_grpc import add_RouteServiceServicer_to_server
from antiphon_server.dispatcher.routing_room import Posted, Routed, TurnSources
from antiphon_server.routing.adapters.sql_routes import sql_routes
from antiphon_server.routing.adapters.tables import trail_outbox
from antiphon_server.routing.classifying import WordClassifier
from antiphon_server.routing.finding import Finding
from antiphon_server.routing.routes import Routes, routes_in
from antiphon_server.routing.servicer import RouteServicer
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.profiles.reading import AuthServiceProfiles
from antiphon_server.runtime.trail.audit import AuditServiceTrail
from antiphon_server.runtime.trail.outbox import SqlOutbox
from antiphon_server.runtime.trail.relay import TrailRelay


@dataclass(frozen=True, slots=True)
class ComposedRouting:
    """See :class:`~antiphon_server.dispatcher.routing_room.RoutingRoom`.

    ``shared`` says whether other servers change routes, too.
    """

    routes: Routes
    finding: Finding
    servicer: RouteServicer
    trail: TrailRelay
    shared: bool

    async def route(self, posted: Posted) -> Routed | None:
        """See :meth:`RoutesTurns.route`."""
        return await self.finding.route(posted)

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`RoutingRoom.register`."""
        add_RouteServiceServicer_to_server(self.servicer, server)

    async def start(self, lifecycle: Lifecycle) -> None:
        """See :meth:`RoutingRoom.start`."""
        lifecycle.on_stop("routes' trail", self.trail.close)
        lifecycle.on_stop("routes", self.routes.close)
        await self.routes.refresh()
        lifecycle.spawn("routes.trail", self.trail.run(), vital=False)
        if self.shared:
            lifecycle.spawn("routes.changes", self.routes.run(), vital=False)


def compose_routing(
    infrastructure: Infrastructure, links: Links, sources: TurnSources
) -> ComposedRouting:
    """Put routes on what the dispatcher has."""
    database = infrastructure.database
    routes = routes_in(sql_routes(database))
    known = AuthServiceProfiles(ProfileServiceStub(links.internal), infrastructure.profiles)
    finding = Finding(routes, WordClassifier(), sources, known)
    audit = AuditServiceTrail(AuditServiceStub(links.internal))
    trail = TrailRelay(SqlOutbox(database, trail_outbox), audit)
    servicer = RouteServicer(routes, finding, sources.conversations, trail)
    return ComposedRouting(routes, finding, servicer, trail, database.shared)
