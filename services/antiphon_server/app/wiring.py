"""Every service in its place; nothing runs yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from antiphon.auth.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from antiphon.auth.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from antiphon.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from antiphon.auth.v1.policy_service_pb2_grpc import PolicyServiceStub
from antiphon.context.v1.context_service_pb2_grpc import (
    ContextServiceStub,
    add_ContextServiceServicer_to_server,
)
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import (
    add_DispatcherServiceServicer_to_server,
)
from antiphon.events.v1.event_service_pb2_grpc import (
    EventServiceStub,
    add_EventServiceServicer_to_server,
)
from antiphon.integration.v1.integration_service_pb2_grpc import (
    add_IntegrationServiceServicer_to_server,
)
from antiphon_server.app.ground import Ground
from antiphon_server.app.guards import guarded, inside, unguarded
from antiphon_server.auth.adapters.breached_passwords import breached_passwords
from antiphon_server.auth.adapters.event_stub import EventLog as SessionEventLog
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.adapters.remote_policy import RemotePolicy
from antiphon_server.auth.adapters.server_secret import MasterSecret, given_secret
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose import Auth, compose_auth
from antiphon_server.auth.model import DAY
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.tokens import TokenSettings
from antiphon_server.auth.servicers.access import AccessServicer
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.compose import Context, compose_context
from antiphon_server.dispatcher.compose import Dispatcher, compose_dispatcher
from antiphon_server.events.compose import Events, compose_events
from antiphon_server.integration.compose import Integration, compose_integration
from antiphon_server.runtime.access import AccessPolicy
from antiphon_server.runtime.local_channel import LocalServer
from antiphon_server.runtime.tasks import TaskSet
from antiphon_server.settings import Settings

NODE = "embedded"
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Services:
    """All of them. ``table`` is what clients call; ``local`` are all ways to call them."""

    auth: Auth
    access: AccessServicer
    events: Events
    context: Context
    integration: Integration
    dispatcher: Dispatcher
    turn_tasks: TaskSet
    table: LocalServer
    local: Sequence[LocalServer]

    async def stop_local_calls(self) -> None:
        """End the streams between services."""
        for server in self.local:
            await server.stop(None)


def compose(ground: Ground) -> Services:
    """The services of a process, each with what it needs of the others.

    Raises OSError, ExposedFileError or UnusableSecretError if the secret can't be used.
    """
    settings, database, turn_tasks = ground.settings, ground.database, TaskSet()
    free, to_context, to_dispatcher = unguarded(), inside("context"), inside("dispatcher")
    roles = ContextAccessPolicy(ContextServiceStub(free.channel()))
    policy = _with_engine(roles, ground.engine)
    auth = _auth(ground, free)
    table = guarded(ground, auth, policy)
    services = Services(
        auth=auth,
        access=AccessServicer(auth.users, policy, table.names),
        events=compose_events(database, policy, auth.verifier),
        context=compose_context(database, to_context.channel(), _kept_s(settings)),
        integration=compose_integration(database, settings.all_models(), roles, auth.verifier),
        dispatcher=compose_dispatcher(
            database,
            to_dispatcher.channel(),
            table.channel(),
            policy,
            auth.verifier,
            turn_tasks.spawn,
            NODE,
        ),
        turn_tasks=turn_tasks,
        table=table,
        local=(free, table, to_context, to_dispatcher),
    )
    auth.liveness.on_end(services.events.subscriptions.session_ended)
    auth.signing_keys.on_withdrawn(services.events.subscriptions.check_tokens)
    for server in services.local:
        _register(server, services)
    return services


def _auth(ground: Ground, free: LocalServer) -> Auth:
    settings, redis = ground.settings, ground.redis
    secret = given_secret(settings.secret_text, settings.secret_key_file)
    return compose_auth(
        sql_stores(ground.database),
        SessionEventLog(EventServiceStub(free.channel())),
        settings.data_dir,
        secret=MasterSecret(secret) if secret else None,
        settings=TokenSettings(user_seconds=settings.access_token_minutes * 60),
        session_settings=SessionSettings(
            idle=settings.session_idle_days * DAY, longest=settings.session_days * DAY
        ),
        breached=breached_passwords(settings.breached_passwords_file),
        identity_providers=settings.identity_providers,
        key_settings=KeySettings(settings.signing_key_days, settings.several_nodes),
        messenger=RedisMessenger(redis) if redis and settings.several_nodes else None,
        alarm_settings=settings.alarms,
    )


def _with_engine(roles: AccessPolicy, engine: grpc.aio.Channel | None) -> AccessPolicy:
    return RemotePolicy(roles, PolicyServiceStub(engine)) if engine is not None else roles


def _kept_s(settings: Settings) -> float | None:
    """How long the logs of conversations are kept, in seconds; None for ever."""
    return settings.retention_days * DAY_S if settings.retention_days else None


def _register(server: LocalServer, services: Services) -> None:
    add_AuthServiceServicer_to_server(services.auth.servicer, server)
    add_AccessServiceServicer_to_server(services.access, server)
    add_AuditServiceServicer_to_server(services.auth.audit_servicer, server)
    add_ContextServiceServicer_to_server(services.context.servicer, server)
    add_DispatcherServiceServicer_to_server(services.dispatcher.servicer, server)
    add_EventServiceServicer_to_server(services.events.servicer, server)
    add_IntegrationServiceServicer_to_server(services.integration.servicer, server)
