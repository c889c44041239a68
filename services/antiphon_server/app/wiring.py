"""Every service in its place; nothing runs yet."""

from dataclasses import dataclass

import grpc

from antiphon.auth.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from antiphon.auth.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from antiphon.auth.v1.auth_service_pb2_grpc import add_AuthServiceServicer_to_server
from antiphon.auth.v1.policy_service_pb2_grpc import PolicyServiceStub
from antiphon.auth.v1.verification_service_pb2_grpc import (
    add_VerificationServiceServicer_to_server,
)
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
from antiphon_server.agents.compose import compose_agents
from antiphon_server.app.contracts import all_methods
from antiphon_server.app.ground import Ground
from antiphon_server.app.guards import guarded
from antiphon_server.app.links import Links
from antiphon_server.auth.adapters.breached_passwords import breached_passwords
from antiphon_server.auth.adapters.event_stub import EventLog as SessionEventLog
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.adapters.remote_policy import RemotePolicy
from antiphon_server.auth.adapters.server_secret import MasterSecret, given_secret
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.compose import Auth, AuthElsewhere, compose_auth, compose_elsewhere
from antiphon_server.auth.model import DAY
from antiphon_server.auth.service.local_operator import nobody
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.token_settings import TokenSettings
from antiphon_server.auth.servicers.access import AccessServicer
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.compose import Context, compose_context
from antiphon_server.dispatcher.compose import Dispatcher, Sharing, compose_dispatcher
from antiphon_server.events.compose import Events, compose_events
from antiphon_server.integration.compose import OWNER, Integration, compose_integration
from antiphon_server.runtime.access.rules import AccessPolicy
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.settings import Settings

EMBEDDED = "embedded"  # alone with its store
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Services:
    """Those of this process; None stands for one that runs elsewhere.

    ``table`` is what clients call; ``guarding`` knows who they are.
    """

    auth: Auth | None
    access: AccessServicer | None
    events: Events | None
    context: Context | None
    integration: Integration | None
    dispatcher: Dispatcher | None
    guarding: Auth | AuthElsewhere
    turn_tasks: TaskSet
    table: LocalServer
    links: Links

    async def stop_local_calls(self) -> None:
        """End the streams between services."""
        for server in (self.table, *self.links.servers):
            await server.stop(None)


def compose(ground: Ground) -> Services:
    """The services of this process, each with what it needs of the others.

    Raises ExposedFileError or UnusableSecretError if a secret that is given can't be used.
    """
    settings, turn_tasks, here = ground.settings, TaskSet(), ground.settings.services
    secret = given_secret(settings.secret_text, settings.secret_key_file)
    links = Links(settings, MasterSecret(secret) if secret else None, ground.tracing)
    free = links.of_guards()
    roles = ContextAccessPolicy(ContextServiceStub(free))
    policy = _with_engine(roles, ground.engine)
    auth = _auth(ground, links.of("auth")) if "auth" in here else None
    guarding = auth or compose_elsewhere(free, _token_settings(settings), here[0])
    table = guarded(ground, guarding, policy, links.counted)
    services = Services(
        auth=auth,
        access=AccessServicer(auth.users, policy, lambda: {*all_methods(), *table.names()})
        if auth
        else None,
        events=_events(ground, policy, guarding) if "events" in here else None,
        context=_context(ground, links) if "context" in here else None,
        integration=_integration(ground, roles, guarding) if "integration" in here else None,
        dispatcher=_dispatcher(ground, links, table, policy, guarding, turn_tasks)
        if "dispatcher" in here
        else None,
        guarding=guarding,
        turn_tasks=turn_tasks,
        table=table,
        links=links,
    )
    for server in (table, *links.servers):
        _register(server, services)
    return services


def _auth(ground: Ground, to_others: grpc.aio.Channel) -> Auth:
    settings, redis = ground.settings, ground.redis
    shared = settings.shares_store or bool(settings.elsewhere)
    return compose_auth(
        sql_stores(ground.database),
        SessionEventLog(EventServiceStub(to_others)),
        settings.data_dir,
        secret=ground.secret,
        settings=_token_settings(settings),
        session_settings=SessionSettings(
            idle=settings.session_idle_days * DAY, longest=settings.session_days * DAY
        ),
        breached=breached_passwords(settings.breached_passwords_file),
        identity_providers=settings.identity_providers,
        key_settings=KeySettings(settings.signing_key_days, shared),
        messenger=RedisMessenger(redis) if redis and settings.shares_store else None,
        alarm_settings=settings.alarms,
        node=ground.node,
        living=ground.lease.living if ground.lease else nobody,
        known_names=ground.names,
    )


def _token_settings(settings: Settings) -> TokenSettings:
    return TokenSettings(user_seconds=settings.access_token_minutes * 60)


def _events(ground: Ground, policy: AccessPolicy, guarding: Auth | AuthElsewhere) -> Events:
    key = ground.secret.derive("bus between nodes") if ground.redis else b""
    events = compose_events(
        ground.database, policy, guarding.verifier, redis=ground.redis, bus_key=key
    )
    guarding.liveness.on_end(events.subscriptions.session_ended)
    guarding.signing_keys.on_withdrawn(events.subscriptions.check_tokens)
    return events


def _context(ground: Ground, links: Links) -> Context:
    kept_s = _kept_s(ground.settings)
    return compose_context(ground.database, links.of("context"), ground.names, kept_s)


def _integration(
    ground: Ground, roles: AccessPolicy, guarding: Auth | AuthElsewhere
) -> Integration:
    models = ground.settings.all_models()
    return compose_integration(
        ground.database, models, roles, guarding.verifier, owner=ground.node or OWNER
    )


def _dispatcher(
    ground: Ground,
    links: Links,
    table: LocalServer,
    policy: AccessPolicy,
    guarding: Auth | AuthElsewhere,
    turn_tasks: TaskSet,
) -> Dispatcher:
    internal = links.of("dispatcher")
    return compose_dispatcher(
        ground.database,
        internal,
        links.on_behalf(table),
        policy,
        guarding.verifier,
        turn_tasks.spawn,
        ground.node or EMBEDDED,
        compose_agents(internal),
        Sharing(ground.lease, ground.settings.lease_s, links.to_server) if ground.lease else None,
        log_elsewhere="events" in ground.settings.elsewhere,
    )


def _with_engine(roles: AccessPolicy, engine: grpc.aio.Channel | None) -> AccessPolicy:
    return RemotePolicy(roles, PolicyServiceStub(engine)) if engine is not None else roles


def _kept_s(settings: Settings) -> float | None:
    """How long the logs of conversations are kept, in seconds; None for ever."""
    return settings.retention_days * DAY_S if settings.retention_days else None


def _register(server: LocalServer, services: Services) -> None:
    if services.auth is not None:
        add_AuthServiceServicer_to_server(services.auth.servicer, server)
        add_AuditServiceServicer_to_server(services.auth.audit_servicer, server)
        add_VerificationServiceServicer_to_server(services.auth.verification_servicer, server)
    if services.access is not None:
        add_AccessServiceServicer_to_server(services.access, server)
    if services.context is not None:
        add_ContextServiceServicer_to_server(services.context.servicer, server)
    if services.dispatcher is not None:
        add_DispatcherServiceServicer_to_server(services.dispatcher.servicer, server)
    if services.events is not None:
        add_EventServiceServicer_to_server(services.events.servicer, server)
    if services.integration is not None:
        add_IntegrationServiceServicer_to_server(services.integration.servicer, server)
