"""The integration service as a process runs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from antiphon.integration.v1.connection_service_pb2_grpc import (
    add_ConnectionServiceServicer_to_server,
)
from antiphon.integration.v1.integration_service_pb2_grpc import (
    add_IntegrationServiceServicer_to_server,
)
from antiphon.integration.v1.secret_service_pb2_grpc import add_SecretServiceServicer_to_server
from antiphon.integration.v1.tool_service_pb2_grpc import add_ToolServiceServicer_to_server
from antiphon_server.integration.breakers.switches import Switches
from antiphon_server.integration.compose.budgets import ComposedBudgets
from antiphon_server.integration.connection_servicer import ConnectionServicer
from antiphon_server.integration.connections.adapters.connection_health import ConnectionHealth
from antiphon_server.integration.connections.adapters.connection_metrics import ConnectionMetrics
from antiphon_server.integration.connections.authorization import Authorizations
from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.forwarding import Forwarding
from antiphon_server.integration.connections.relays import Relays
from antiphon_server.integration.ledger.adapters.lost_calls import LostCalls
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.ports import Ledger
from antiphon_server.integration.models.adapters.model_health import ModelHealth
from antiphon_server.integration.models.adapters.model_metrics import ModelMetrics
from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.integration.models.generation import Generator
from antiphon_server.integration.models.news import BreakerNews
from antiphon_server.integration.models.ports import Told
from antiphon_server.integration.relaying import Relaying
from antiphon_server.integration.secret_servicer import SecretServicer
from antiphon_server.integration.secrets.ports import SecretStore
from antiphon_server.integration.servicer import IntegrationServicer
from antiphon_server.integration.tool_servicer import ToolServicer
from antiphon_server.integration.tools.adapters.tool_metrics import ToolMetrics
from antiphon_server.integration.trail.relay import TrailRelay
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.nodes.homes import Homes
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.telemetry.structured import structlog

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Breakers:
    """What operators say of breakers, here and, if that is ``shared``, at other servers.

    ``told`` hear what becomes of those of models.
    """

    switches: Switches
    shared: bool
    told: Sequence[Told] = ()

    async def start(self, lifecycle: Lifecycle, health: Health, catalogue: Catalogue) -> None:
        """Begin with what was said before."""
        await self.switches.begin()
        parts = ModelHealth(health)
        news = BreakerNews([parts, *self.told])
        for model in catalogue.all:
            await parts(model.name, model.breaker)
            model.told.append(news.note)
        lifecycle.spawn("integration.models", news.run(), vital=False)
        if self.shared:
            lifecycle.spawn("integration.switches", self.switches.run(), vital=False)


@dataclass(frozen=True, slots=True)
class Integration(Service):
    """The integration service; ``lost_calls`` are those of servers that share its database.

    Without ``secrets`` it serves none: whoever composes it alone has no installation's secret,
    nor a ``trail`` of what is changed.
    """

    servicer: IntegrationServicer
    tool_servicer: ToolServicer
    connections: Connections
    forwarding: Forwarding
    relays: Relays
    relaying: Relaying
    tool_metrics: ToolMetrics
    catalogue: Catalogue
    generator: Generator
    ledger: Ledger
    pool: HttpPool
    owner: str
    lost_calls: LostCalls | None = None
    secrets: SecretStore | None = None
    authorizations: Authorizations | None = None
    trail: TrailRelay | None = None
    homes: Homes | None = None
    budgets: ComposedBudgets | None = None
    breakers: Breakers | None = None
    calls: PricedCalls | None = None

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_IntegrationServiceServicer_to_server(self.servicer, server)
        add_ToolServiceServicer_to_server(self.tool_servicer, server)
        trail = self.trail
        if self.authorizations is not None and trail is not None and self.breakers is not None:
            about = (self.connections, self.forwarding, self.authorizations)
            switches = self.breakers.switches
            servicer = ConnectionServicer(*about, trail, self.relaying, switches)
            add_ConnectionServiceServicer_to_server(servicer, server)
        if self.secrets is not None and trail is not None:
            secrets = SecretServicer(self.secrets, self.connections, trail)
            add_SecretServiceServicer_to_server(secrets, server)
        if self.budgets is not None and trail is not None:
            self.budgets.register(server, trail)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """Settle what an earlier process left open, and what others leave."""
        lifecycle.on_stop("integration", self.close)
        await self.settle()
        if self.budgets is not None:
            await self.budgets.start(lifecycle)
        self.catalogue.look_up_default()
        if self.breakers is not None:
            await self.breakers.start(lifecycle, health, self.catalogue)
        self.connections.tell(ConnectionHealth(health))
        self.connections.start()
        lifecycle.spawn("integration.connections", self.connections.tidy(), vital=False)
        if self.trail is not None:
            lifecycle.spawn("integration.trail", self.trail.run(), vital=False)
        if self.calls is not None:
            lifecycle.spawn("integration.late", self.calls.run(), vital=False)
        if self.lost_calls is not None:
            lifecycle.spawn("integration.lost", self.lost_calls.run(), vital=False)

    async def drain(self, grace_s: float) -> None:
        """See :meth:`Service.drain`."""
        await self.relays.drain()

    def streams(self) -> int:
        """See :meth:`Service.streams`."""
        return len(self.relays)

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        connections, models = ConnectionMetrics(self.connections), ModelMetrics(self.catalogue)
        return [self.tool_metrics, connections, models]

    async def settle(self) -> None:
        """Settle what an earlier process left open, and warn of models that can't be asked."""
        for model in self.catalogue.unusable():
            logger.warning("model can't be asked", model=model.name, missing=model.missing)
        abandoned = await self.ledger.abandon(self.owner)
        if abandoned:
            logger.warning("calls of an earlier process have no known end", count=abandoned)

    async def close(self) -> None:
        """Stop the local model, close all connections, and write what waits."""
        await self.connections.close()
        if self.homes is not None:
            await self.homes.close()
        if self.trail is not None:
            await self.trail.close()
        await self.catalogue.close()
        if self.budgets is not None:
            await self.budgets.charging.close()
        await self.pool.close()
        if self.calls is not None:
            await self.calls.close()
        await self.ledger.close()
