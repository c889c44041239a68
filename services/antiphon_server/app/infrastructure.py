"""Opening what the services stand on: a store, figures, traces, limits and what is outside."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import grpc

from antiphon_server.app.own_address import own_address
from antiphon_server.app.own_database import check_own_database
from antiphon_server.app.schemas import DATABASE_FILE, migrate_all
from antiphon_server.app.secret import installation_secret, same_secret
from antiphon_server.auth.adapters.remote_policy import engine_channel
from antiphon_server.auth.adapters.server_secret import MasterSecret
from antiphon_server.installation import SERVICES
from antiphon_server.runtime.cache.cache import ALONE_S, Cache, MemoryCache
from antiphon_server.runtime.cache.known_names import KnownNames
from antiphon_server.runtime.cache.redis_cache import RedisCache
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.limits.rate_guard import RateGuard
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.nodes import ClockWatch, Neighbours, NodeLease
from antiphon_server.runtime.nodes.name import node_name
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.profiles.known import KnownProfiles
from antiphon_server.runtime.storage.database import Store
from antiphon_server.runtime.storage.postgres_url import check_postgres_url
from antiphon_server.runtime.storage.redis import Redis
from antiphon_server.runtime.storage.sqlite import SqliteDatabase
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.runtime.telemetry.tracing import start_tracing
from antiphon_server.settings import Settings

_LEFT_HERE = "what is in %s is not in ANTIPHON_DATABASE_URL: `antiphon migrate` would take it there"
log = logging.getLogger(__name__)


async def open_infrastructure(
    settings: Settings,
    data_dir: Path,
    lifecycle: Lifecycle,
    services: Iterable[Descriptor] = SERVICES,
) -> Infrastructure:
    """Open all of it, with tables for all services; the lifecycle closes it.

    Raises FromTheFuture, Damaged, DatabaseUnusable, DataDirUnusable, WrongSetting, OtherSecret,
    ClocksDiffer, NameTaken, and what ``installation_secret`` raises.
    """
    database = await _store(settings, data_dir, services)
    lifecycle.on_stop("store", database.close)
    if not database.shared:
        await migrate_all(database, services)
    tracing = start_tracing(settings.otlp_endpoint)
    if tracing is not None:
        lifecycle.on_stop("traces", tracing.stop)
    redis = _redis(settings, lifecycle)
    secret = installation_secret(settings)
    mark = await same_secret(secret, database) if database.shared else None
    cache = _cache(settings, redis, secret, lifecycle)
    names, profiles = KnownNames(cache), KnownProfiles(cache)
    guard = RateGuard(settings.rate_limits, redis, behind_proxy=settings.behind_proxy)
    guard.start(lifecycle)
    engine = _engine(settings, lifecycle)
    lease = await _lease(settings, database, data_dir, lifecycle) if database.shared else None
    metrics, shares = RpcMetrics(), Shares(settings.shares)
    return Infrastructure(
        database,
        mark,
        lease,
        metrics,
        tracing,
        redis,
        names,
        profiles,
        guard,
        shares,
        engine,
        secret,
    )


async def _store(settings: Settings, data_dir: Path, services: Iterable[Descriptor]) -> Store:
    if settings.database_url is None:
        await asyncio.to_thread(check_own_database, data_dir)
        return SqliteDatabase(data_dir / DATABASE_FILE)
    if await asyncio.to_thread((data_dir / DATABASE_FILE).exists):
        log.warning(_LEFT_HERE, data_dir / DATABASE_FILE)
    url = settings.database_url.reveal()
    check_postgres_url(url)
    from antiphon_server.runtime.storage.postgres_start import open_for_migrations, open_postgres

    database = await open_postgres(url, settings.database_pool)
    patient = open_for_migrations(url)
    try:
        await migrate_all(patient, services)
    finally:
        await patient.close()
    return database


async def _lease(
    settings: Settings, database: Store, data_dir: Path, lifecycle: Lifecycle
) -> NodeLease:
    clocks = ClockWatch(database, settings.lease_s)
    await clocks.check()
    lifecycle.spawn("clocks", clocks.run(), vital=False)
    lease = NodeLease(database, node_name(data_dir), settings.lease_s)
    await lease.begin(own_address(settings, settings.port) if settings.port else "")
    lifecycle.on_stop("node", lease.end)
    lifecycle.spawn("node.lease", lease.run())
    if settings.database_url is not None:
        from antiphon_server.runtime.storage.session_lock import SessionLock

        lock = SessionLock(settings.database_url.reveal(), lease.life)
        lifecycle.spawn("node.session", lock.run(), vital=False)
    lifecycle.spawn("node.neighbours", Neighbours(database, lease).run(), vital=False)
    return lease


def _redis(settings: Settings, lifecycle: Lifecycle) -> Redis | None:
    if settings.redis_url is None:
        return None
    redis = Redis(settings.redis_url.reveal())
    lifecycle.on_stop("redis", redis.close)
    return redis


def _cache(
    settings: Settings, redis: Redis | None, secret: MasterSecret, lifecycle: Lifecycle
) -> Cache:
    """This process's if it is the only one, or as good as none, or one for all of them."""
    if redis is None:
        several = settings.shares_store or bool(settings.elsewhere)
        return MemoryCache(longest_s=ALONE_S) if several else MemoryCache()
    cache = RedisCache(redis, secret.derive("cache"))
    lifecycle.spawn("cache", cache.run(), vital=False)
    return cache


def _engine(settings: Settings, lifecycle: Lifecycle) -> grpc.aio.Channel | None:
    if not settings.policy_address:
        return None
    channel = engine_channel(settings.policy_address)
    lifecycle.on_stop("policy engine", channel.close)
    return channel
