"""The composition root: every service in its place, started and stopped in order."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
from antiphon_server import hardening
from antiphon_server.auth import compose as auth_slice
from antiphon_server.auth.adapters.breached_passwords import breached_passwords
from antiphon_server.auth.adapters.event_stub import EventLog as SessionEventLog
from antiphon_server.auth.adapters.recorded_policy import RecordedPolicy
from antiphon_server.auth.adapters.recorded_rate_limits import RecordedRateLimits
from antiphon_server.auth.adapters.redis_messenger import RedisMessenger
from antiphon_server.auth.adapters.remote_policy import RemotePolicy, engine_channel
from antiphon_server.auth.adapters.server_secret import MasterSecret, given_secret
from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata as auth_tables
from antiphon_server.auth.model import DAY
from antiphon_server.auth.service.opening import SessionSettings
from antiphon_server.auth.service.signing_keys import KeySettings
from antiphon_server.auth.service.tokens import TokenSettings
from antiphon_server.auth.servicers.access import AccessServicer
from antiphon_server.context import compose as context_slice
from antiphon_server.context.access_policy import ContextAccessPolicy
from antiphon_server.context.adapters.tables import metadata as context_tables
from antiphon_server.dispatcher import compose as dispatcher_slice
from antiphon_server.dispatcher.adapters.tables import metadata as dispatcher_tables
from antiphon_server.events import compose as events_slice
from antiphon_server.events.adapters.tables import metadata as events_tables
from antiphon_server.hardening.variables import unknown_variables
from antiphon_server.integration import compose as integration_slice
from antiphon_server.integration.adapters.tables import metadata as integration_tables
from antiphon_server.runtime.access import AccessPolicy
from antiphon_server.runtime.addresses import Callers
from antiphon_server.runtime.admin import Admin
from antiphon_server.runtime.data_dir import exclusive
from antiphon_server.runtime.database import Database
from antiphon_server.runtime.health import Health
from antiphon_server.runtime.interceptors.access import AccessInterceptor
from antiphon_server.runtime.interceptors.address import AddressInterceptor
from antiphon_server.runtime.interceptors.authentication import AuthenticationInterceptor
from antiphon_server.runtime.interceptors.caller import CallerInterceptor
from antiphon_server.runtime.interceptors.errors import ErrorInterceptor
from antiphon_server.runtime.interceptors.telemetry import TelemetryInterceptor
from antiphon_server.runtime.interceptors.validation import ValidationInterceptor
from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.runtime.limits import Limits, allowed_connections
from antiphon_server.runtime.local_channel import LocalServer
from antiphon_server.runtime.memory import collect_seldom, give_back
from antiphon_server.runtime.metrics import Gauges, RpcMetrics
from antiphon_server.runtime.migrations import migrate
from antiphon_server.runtime.principal import Principal, SessionId, UserId
from antiphon_server.runtime.rate_guard import RateGuard
from antiphon_server.runtime.redis import Redis
from antiphon_server.runtime.reflection import register_reflection
from antiphon_server.runtime.server import Server
from antiphon_server.runtime.sqlite import SqliteDatabase
from antiphon_server.runtime.tasks import TaskSet, first_of
from antiphon_server.runtime.telemetry import configure_logging
from antiphon_server.runtime.tls import ServerTls
from antiphon_server.runtime.tracing import Tracing, start_tracing
from antiphon_server.settings import Settings

DATABASE_FILE = "antiphon.db"
log = logging.getLogger(__name__)
NODE = "embedded"
DAY_S = 86_400.0
SCHEMAS = {
    "auth": (auth_slice.VERSIONS, auth_tables),
    "context": (context_slice.VERSIONS, context_tables),
    "dispatcher": (dispatcher_slice.VERSIONS, dispatcher_tables),
    "events": (events_slice.VERSIONS, events_tables),
    "integration": (integration_slice.VERSIONS, integration_tables),
}


@dataclass(frozen=True, slots=True)
class App:
    """A server that serves: its ports, and the way for it to say that it can't go on.

    ``table`` takes the same calls without a port, guarded in the same way. ``streams`` says
    how many clients have open. ``test_password`` is the test user's, if there is one.
    """

    port: int
    admin_port: int | None
    crashed: asyncio.Event
    table: LocalServer
    streams: Callable[[], int]
    test_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Services:
    auth: auth_slice.Auth
    access: AccessServicer
    events: events_slice.Events
    context: context_slice.Context
    integration: integration_slice.Integration
    dispatcher: dispatcher_slice.Dispatcher
    turn_tasks: TaskSet
    local: Sequence[LocalServer]

    async def stop_local_calls(self) -> None:
        """End the streams between services."""
        for server in self.local:
            await server.stop(None)


async def serve(
    settings: Settings,
    ready: Callable[[App], None] | None = None,
    until: Callable[[App], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Run a server until SIGTERM, SIGINT or SIGHUP, or until ``until`` returns.

    ``ready`` is told once it serves. Raises DataDirUnusable, CannotListen,
    FromTheFuture, Damaged, ExposedFileError, UnusableSecretError, SealedByAnother,
    UnusableCertificate, Insecure, RuntimeError if a vital part crashed, and what ``until``
    raises.
    """
    os.umask(0o077)  # whatever is written is the user's alone
    configure_logging(settings.log_level, settings.log_format, settings.log_file)
    stopping = asyncio.Event()
    with _signals(stopping):
        async with running(settings) as app:
            if ready is not None:
                ready(app)
            ends: list[Coroutine[Any, Any, object]] = [stopping.wait(), app.crashed.wait()]
            ends += [until(app)] if until is not None else []
            await first_of(ends)
        if app.crashed.is_set():
            raise RuntimeError("a vital part crashed; the log says which")


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    """Run a server for the time of the block, without touching signals or logging."""
    for weakness in hardening.insist(settings):
        log.warning("%s", weakness)
    for name in unknown_variables(settings, os.environ):
        log.warning("nothing reads the variable %s", name)
    health = Health()
    with exclusive(settings.data_dir) as data_dir:
        async with Lifecycle(health) as lifecycle:
            database = SqliteDatabase(data_dir / DATABASE_FILE)
            lifecycle.on_stop("store", database.close)
            for service, (versions, tables) in SCHEMAS.items():
                await migrate(database, service, versions, tables)
            metrics = RpcMetrics()
            tracing = start_tracing(settings.otlp_endpoint)
            if tracing is not None:
                lifecycle.on_stop("traces", tracing.stop)
            redis = _redis(settings, lifecycle)
            guard = RateGuard(settings.rate_limits, redis, behind_proxy=settings.behind_proxy)
            guard.start(lifecycle)
            engine = _engine(settings, lifecycle)
            table, services = _compose(settings, database, metrics, tracing, guard, redis, engine)
            settings.rate_limits.check(table.names())
            await _start(services, lifecycle, health, settings)
            password = await _test_password(services.auth, settings)
            lifecycle.spawn("store", _report(database, health))
            collectors = [metrics, services.auth.metrics, _gauges(services), *guard.collectors]
            app = await _listen(settings, table, services, lifecycle, health, collectors)
            yield replace(app, test_password=password)


def _engine(settings: Settings, lifecycle: Lifecycle) -> grpc.aio.Channel | None:
    """The channel to the engine outside that has a say in access, if there is one."""
    if not settings.policy_address:
        return None
    channel = engine_channel(settings.policy_address)
    lifecycle.on_stop("policy engine", channel.close)
    return channel


def _redis(settings: Settings, lifecycle: Lifecycle) -> Redis | None:
    if settings.redis_url is None:
        return None
    redis = Redis(settings.redis_url.reveal())
    lifecycle.on_stop("redis", redis.close)
    return redis


def _compose(
    settings: Settings,
    database: Database,
    metrics: RpcMetrics,
    tracing: Tracing | None,
    guard: RateGuard,
    redis: Redis | None,
    engine: grpc.aio.Channel | None,
) -> tuple[LocalServer, _Services]:
    """Put every service in its place; nothing runs yet."""
    # What the guards of every call ask themselves is asked on a table without guards.
    unguarded = LocalServer([ErrorInterceptor()])
    inner = unguarded.channel()
    roles: AccessPolicy = ContextAccessPolicy(ContextServiceStub(inner))
    policy = RemotePolicy(roles, PolicyServiceStub(engine)) if engine is not None else roles
    stores = sql_stores(database)
    auth = auth_slice.compose_auth(
        stores,
        SessionEventLog(EventServiceStub(inner)),
        settings.data_dir,
        secret=_secret(settings),
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
    # People at a console want to see what went wrong; machines want to see all.
    every_call = settings.log_format == "json" or settings.log_file is not None
    telemetry = TelemetryInterceptor(metrics, every_call=every_call)
    callers = Callers(settings.behind_proxy, settings.proxy_networks())
    guard.listen(RecordedRateLimits(auth.coalesced))
    table = _guarded(auth, policy, telemetry, tracing, callers, guard)
    inside = {name: _inside(name) for name in ("context", "dispatcher")}
    turn_tasks = TaskSet()
    keep_s = settings.retention_days * DAY_S if settings.retention_days else None
    events = events_slice.compose_events(database, policy, auth.verifier)
    auth.liveness.on_end(events.subscriptions.session_ended)
    auth.signing_keys.on_withdrawn(events.subscriptions.check_tokens)
    context = context_slice.compose_context(database, inside["context"].channel(), keep_s)
    integration = integration_slice.compose_integration(
        database, settings.all_models(), roles, auth.verifier
    )
    dispatcher = dispatcher_slice.compose_dispatcher(
        database,
        inside["dispatcher"].channel(),
        table.channel(),
        policy,
        auth.verifier,
        turn_tasks.spawn,
        NODE,
    )
    local = (unguarded, table, *inside.values())
    access = AccessServicer(auth.users, policy, table.names)
    services = _Services(auth, access, events, context, integration, dispatcher, turn_tasks, local)
    for server in local:
        _register(server, services)
    return table, services


def _secret(settings: Settings) -> MasterSecret | None:
    """The installation's secret where the environment gives one."""
    secret = given_secret(settings.secret_text, settings.secret_key_file)
    return MasterSecret(secret) if secret else None


def _guarded(
    auth: auth_slice.Auth,
    policy: AccessPolicy,
    telemetry: TelemetryInterceptor,
    tracing: Tracing | None,
    callers: Callers,
    guard: RateGuard,
) -> LocalServer:
    return LocalServer(
        [
            *([tracing.interceptor] if tracing else []),
            telemetry,
            ErrorInterceptor(),
            AddressInterceptor(callers),
            guard.interceptor("address"),
            AuthenticationInterceptor(auth.verifier),
            guard.interceptor("principal"),
            ValidationInterceptor(),
            AccessInterceptor(RecordedPolicy(policy, auth.coalesced)),
        ]
    )


def _inside(service: str) -> LocalServer:
    """The way for one service of this process to the others: no guard asks who it is again."""
    caller = Principal("service", UserId(service), SessionId(""))
    return LocalServer([ErrorInterceptor(), CallerInterceptor(caller)])


def _register(server: LocalServer, services: _Services) -> None:
    add_AuthServiceServicer_to_server(services.auth.servicer, server)
    add_AccessServiceServicer_to_server(services.access, server)
    add_AuditServiceServicer_to_server(services.auth.audit_servicer, server)
    add_ContextServiceServicer_to_server(services.context.servicer, server)
    add_DispatcherServiceServicer_to_server(services.dispatcher.servicer, server)
    add_EventServiceServicer_to_server(services.events.servicer, server)
    add_IntegrationServiceServicer_to_server(services.integration.servicer, server)


async def _start(
    services: _Services, lifecycle: Lifecycle, health: Health, settings: Settings
) -> None:
    """Start the services in the order of their dependencies."""
    log = services.events.log

    async def flush() -> None:
        log.close()
        await asyncio.wait([writer])

    lifecycle.on_stop("auth", services.auth.close)
    await services.auth.start()
    lifecycle.spawn("auth.audit", services.auth.coalesced.run())
    lifecycle.spawn("auth.alarms", services.auth.alarms.run())
    lifecycle.spawn("auth.sessions", services.auth.live_sessions.run(), vital=False)
    lifecycle.spawn("auth.expirations", services.auth.expirations.run(), vital=False)
    writer = lifecycle.spawn("log", log.run())
    lifecycle.on_stop("log", flush)
    if settings.several_nodes:
        lifecycle.spawn("auth.following", services.auth.following.run())
    lifecycle.spawn("auth.clean-up", services.auth.clean_up.run(), vital=False)
    lifecycle.spawn("auth.keys", services.auth.key_rotation.run(), vital=False)
    lifecycle.spawn("log.forget", services.events.forget(), vital=False)
    await services.auth.greet()
    lifecycle.on_stop("context", services.context.changes.close)
    await services.context.relay.relay_outbox()
    lifecycle.spawn("context.relay", services.context.relay.run(), vital=False)
    lifecycle.spawn("context.retention", services.context.retention.run(), vital=False)
    lifecycle.on_stop("integration", services.integration.close)
    await services.integration.start()
    lifecycle.on_stop("turns' store", services.dispatcher.close)
    lifecycle.on_stop("turns", services.turn_tasks.stop)
    await services.dispatcher.leases.adopt_orphans(own=True)
    lifecycle.spawn("turns.leases", services.dispatcher.leases.run())
    for part in ("store", "log", "turns.leases"):
        await health.set(part, serving=True)


async def _test_password(auth: auth_slice.Auth, settings: Settings) -> str:
    """The test user's, if there is to be one; one of an earlier start is shut out else."""
    if settings.test_users:
        return await auth.test_user.admit()
    if await auth.test_user.shut_out():
        log.warning("the test user of an earlier start is shut out")
    return ""


async def _report(database: SqliteDatabase, health: Health) -> None:
    """Keep health up with whether the store can be written."""
    while True:
        await database.changed.wait()
        database.changed.clear()
        await health.set("store", serving=database.writable)


async def _listen(
    settings: Settings,
    table: LocalServer,
    services: _Services,
    lifecycle: Lifecycle,
    health: Health,
    collectors: Sequence[Any],
) -> App:
    """Open the ports and say that everything serves; at the end, drain."""
    for service in list(table.services):
        await health.set(service, serving=True)
    health.register(table)
    if settings.reflects:
        register_reflection(table)
    tls = ServerTls(settings.tls).credentials() if settings.tls else None
    server = Server(table, Limits(connections=allowed_connections()), tls)
    lifecycle.on_stop("local calls", services.stop_local_calls)
    lifecycle.on_stop("server", lambda: server.stop(1.0))
    port = await server.start(settings.host, settings.port)

    async def drain() -> None:
        await health.drain()
        services.auth.audit_watches.drain()
        await asyncio.gather(
            services.events.subscriptions.drain(),
            services.dispatcher.turns.drain(settings.drain_grace_s),
        )

    lifecycle.on_stop("drain", drain)
    admin_port = None
    if settings.admin_port is not None:
        admin = Admin(health, collectors)
        lifecycle.on_stop("admin", admin.stop)
        admin_port = await admin.start(settings.admin_port)
    await health.ready()
    collect_seldom()
    give_back()
    return App(
        port, admin_port, lifecycle.crashed, table, lambda: len(services.events.subscriptions)
    )


def _gauges(services: _Services) -> Gauges:
    log, streams = services.events.log, services.events.subscriptions
    return Gauges(
        {
            "antiphon_streams_open": ("Streams that clients have open.", lambda: len(streams)),
            "antiphon_turns_in_hand": (
                "Turns that this process works on or keeps waiting.",
                lambda: len(services.turn_tasks),
            ),
            "antiphon_log_waiting": ("Appends that wait for their commit.", lambda: log.waiting),
            "antiphon_log_ring_bytes": (
                "What the rings of newest events hold.",
                lambda: log.ring_bytes,
            ),
        }
    )


@contextlib.contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup antiphon up`
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
