"""Auth as one of the services of a process."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import grpc

from antiphon.auth.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from antiphon.auth.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from antiphon.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from antiphon.auth.v1.profile_service_pb2_grpc import add_ProfileServiceServicer_to_server
from antiphon.auth.v1.verification_service_pb2_grpc import (
    add_VerificationServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2_grpc import EventServiceStub
from antiphon_server.auth.adapters.event_stub import EventLog
from antiphon_server.auth.adapters.memory_messenger import MemoryMessenger
from antiphon_server.auth.adapters.provider_states import ProviderHealth, ProviderMetrics
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose.auth import (
    Auth,
    auth_servicer,
    compose_auth,
    profile_servicer,
)
from antiphon_server.auth.compose.other_servers import OtherServers
from antiphon_server.auth.service.local_operator import nobody
from antiphon_server.auth.servicer import AuthServicer
from antiphon_server.auth.servicers.access import AccessServicer
from antiphon_server.auth.servicers.verification import VerificationServicer
from antiphon_server.auth.settings import AuthSettings
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.service import Service
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health


class ProcessSettings(Protocol):
    """What of a process's settings auth reads."""

    @property
    def auth(self) -> AuthSettings:
        """Its own."""
        ...

    @property
    def data_dir(self) -> Path:
        """Where the local operator's key is."""
        ...

    @property
    def shares_store(self) -> bool:
        """Whether other servers may use the same store."""
        ...


@dataclass(frozen=True, slots=True)
class AuthService(Service):
    """What of auth answers calls; it guards them before it starts as a service."""

    auth: Auth
    servicer: AuthServicer
    access: AccessServicer

    def register(self, server: grpc.aio.Server) -> None:
        """See :meth:`Service.register`."""
        add_AuthServiceServicer_to_server(self.servicer, server)
        add_AuditServiceServicer_to_server(self.auth.trail.servicer, server)
        verification = VerificationServicer(self.auth.tokens.feed)
        add_VerificationServiceServicer_to_server(verification, server)
        add_AccessServiceServicer_to_server(self.access, server)
        add_ProfileServiceServicer_to_server(profile_servicer(self.auth), server)

    async def start(self, lifecycle: Lifecycle, health: Health) -> None:
        """See :meth:`Service.start`."""
        auth = self.auth
        # What is finished then is told by the log, which takes nothing when it is closed.
        lifecycle.on_stop("auth's work", auth.base.completion.close)
        if auth.base.others.several:
            lifecycle.spawn("auth.following", auth.tokens.following.run())
        lifecycle.spawn("auth.clean-up", auth.background.clean_up.run(), vital=False)
        lifecycle.spawn("auth.keys", auth.tokens.key_rotation.run(), vital=False)
        providers = ProviderHealth(auth.signing_in.provider_login.providers, health)
        await providers.tell()
        lifecycle.spawn("auth.providers", providers.run(), vital=False)
        await auth.greet()

    async def drain(self, grace_s: float) -> None:
        """See :meth:`Service.drain`."""
        self.auth.trail.watches.drain()
        self.auth.tokens.feed.drain()

    def collectors(self) -> Sequence[Any]:
        """See :meth:`Service.collectors`."""
        providers = ProviderMetrics(self.auth.signing_in.provider_login.providers)
        return [self.auth.recording.metrics, providers]


def compose_here(
    settings: ProcessSettings, infrastructure: Infrastructure, to_others: grpc.aio.Channel
) -> Auth:
    """Put auth on what its process has; ``to_others`` leads to whom it calls."""
    redis, lease, several = infrastructure.redis, infrastructure.lease, settings.shares_store
    others = OtherServers(
        several=several,
        messenger=RedisMessenger(redis) if redis and several else MemoryMessenger(),
        node=infrastructure.node,
        living=lease.living if lease else nobody,
        names=infrastructure.names,
        profiles=infrastructure.profiles,
    )
    return compose_auth(
        sql_stores(infrastructure.database),
        EventLog(EventServiceStub(to_others)),
        settings.data_dir,
        settings.auth,
        others,
        secret=infrastructure.secret,
    )


def auth_service(
    auth: Auth, policy: AccessPolicy, methods: Callable[[], Iterable[str]]
) -> AuthService:
    """Auth as a service: it explains the ``policy`` about the ``methods`` that are served."""
    return AuthService(
        auth, auth_servicer(auth), AccessServicer(auth.accounts.users, policy, methods)
    )
