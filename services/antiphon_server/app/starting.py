"""Starting the services, in the order of their dependencies."""

import asyncio
import logging

from antiphon_server.app.ground import Ground
from antiphon_server.app.wiring import Services
from antiphon_server.auth.compose import Auth
from antiphon_server.runtime.health import Health
from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.runtime.sqlite import SqliteDatabase
from antiphon_server.settings import Settings

log = logging.getLogger(__name__)


async def start(services: Services, ground: Ground, lifecycle: Lifecycle, health: Health) -> str:
    """Start everything but the ports. Returns the test user's password, if there is one."""
    settings, auth = ground.settings, services.auth
    await _start_auth(auth, lifecycle)
    _start_log(services, lifecycle)
    _start_regular_work(services, lifecycle, several_nodes=settings.several_nodes)
    await auth.greet()
    await _start_conversations(services, lifecycle)
    for part in ("store", "log", "turns.leases"):
        await health.set(part, serving=True)
    password = await _test_password(auth, settings)
    lifecycle.spawn("store", _report(ground.database, health))
    return password


async def _start_auth(auth: Auth, lifecycle: Lifecycle) -> None:
    lifecycle.on_stop("auth", auth.close)
    await auth.start()
    lifecycle.spawn("auth.audit", auth.coalesced.run())
    lifecycle.spawn("auth.alarms", auth.alarms.run())
    lifecycle.spawn("auth.sessions", auth.live_sessions.run(), vital=False)
    lifecycle.spawn("auth.expirations", auth.expirations.run(), vital=False)


def _start_log(services: Services, lifecycle: Lifecycle) -> None:
    events = services.events.log
    writer = lifecycle.spawn("log", events.run())

    async def flush() -> None:
        events.close()
        await asyncio.wait([writer])

    lifecycle.on_stop("log", flush)
    # What is finished then is told by the log, which takes nothing when it is closed.
    lifecycle.on_stop("auth's work", services.auth.completion.close)


def _start_regular_work(services: Services, lifecycle: Lifecycle, *, several_nodes: bool) -> None:
    auth = services.auth
    if several_nodes:
        lifecycle.spawn("auth.following", auth.following.run())
    lifecycle.spawn("auth.clean-up", auth.clean_up.run(), vital=False)
    lifecycle.spawn("auth.keys", auth.key_rotation.run(), vital=False)
    lifecycle.spawn("log.forget", services.events.forget(), vital=False)


async def _start_conversations(services: Services, lifecycle: Lifecycle) -> None:
    context, dispatcher = services.context, services.dispatcher
    lifecycle.on_stop("context", context.changes.close)
    for name, relay in (("log", context.to_log), ("trail", context.to_trail)):
        await relay.relay_outbox()
        lifecycle.spawn(f"context.to_{name}", relay.run(), vital=False)
    lifecycle.spawn("context.retention", context.retention.run(), vital=False)
    lifecycle.on_stop("integration", services.integration.close)
    await services.integration.start()
    lifecycle.on_stop("turns' store", dispatcher.close)
    lifecycle.on_stop("turns", services.turn_tasks.stop)
    await dispatcher.leases.adopt_orphans(own=True)
    lifecycle.spawn("turns.leases", dispatcher.leases.run())


async def _test_password(auth: Auth, settings: Settings) -> str:
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
