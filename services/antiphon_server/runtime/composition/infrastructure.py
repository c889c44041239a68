"""What the services of a process stand on: a store, a cache, figures, traces and limits."""

from dataclasses import dataclass, field

import grpc

from antiphon_server.runtime.access.server_secret import ServerSecret
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.limits.rate_guard import RateGuard
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.nodes import NodeLease, SecretMark
from antiphon_server.runtime.profiles.known import KnownProfiles
from antiphon_server.runtime.storage.database import Store
from antiphon_server.runtime.storage.redis import Redis
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.runtime.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What services share: the database, Redis, secrets and whatever else is given to each.

    ``engine`` is the external policy engine, if one is configured. ``lease`` is this server's
    registration among those that share the store, and ``mark`` that of their secret; both are None
    for a store of its own. ``names`` and ``profiles`` are what auth changes and others read.
    ``secret`` is the installation's.
    """

    database: Store
    mark: SecretMark | None
    lease: NodeLease | None
    metrics: RpcMetrics
    tracing: Tracing | None
    redis: Redis | None
    names: KnownNames
    profiles: KnownProfiles
    guard: RateGuard
    shares: Shares
    engine: grpc.aio.Channel | None
    secret: ServerSecret = field(repr=False)

    @property
    def node(self) -> str:
        """This server's name among those that share the store; "" if it has its own."""
        return self.lease.node if self.lease else ""
