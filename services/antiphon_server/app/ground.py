"""What the services stand on: a store, figures, traces, limits and what is outside."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from antiphon_server.app.schemas import DATABASE_FILE, migrate_all
from antiphon_server.auth.adapters.remote_policy import engine_channel
from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.runtime.metrics import RpcMetrics
from antiphon_server.runtime.rate_guard import RateGuard
from antiphon_server.runtime.redis import Redis
from antiphon_server.runtime.sqlite import SqliteDatabase
from antiphon_server.runtime.tracing import Tracing, start_tracing
from antiphon_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """What every service may be given. ``engine`` leads to the one outside that judges calls."""

    settings: Settings
    database: SqliteDatabase
    metrics: RpcMetrics
    tracing: Tracing | None
    redis: Redis | None
    guard: RateGuard
    engine: grpc.aio.Channel | None


async def lay(settings: Settings, data_dir: Path, lifecycle: Lifecycle) -> Ground:
    """Open all of it; the lifecycle closes it. Raises FromTheFuture, Damaged."""
    database = SqliteDatabase(data_dir / DATABASE_FILE)
    lifecycle.on_stop("store", database.close)
    await migrate_all(database)
    tracing = start_tracing(settings.otlp_endpoint)
    if tracing is not None:
        lifecycle.on_stop("traces", tracing.stop)
    redis = _redis(settings, lifecycle)
    guard = RateGuard(settings.rate_limits, redis, behind_proxy=settings.behind_proxy)
    guard.start(lifecycle)
    engine = _engine(settings, lifecycle)
    return Ground(settings, database, RpcMetrics(), tracing, redis, guard, engine)


def _redis(settings: Settings, lifecycle: Lifecycle) -> Redis | None:
    if settings.redis_url is None:
        return None
    redis = Redis(settings.redis_url.reveal())
    lifecycle.on_stop("redis", redis.close)
    return redis


def _engine(settings: Settings, lifecycle: Lifecycle) -> grpc.aio.Channel | None:
    if not settings.policy_address:
        return None
    channel = engine_channel(settings.policy_address)
    lifecycle.on_stop("policy engine", channel.close)
    return channel
