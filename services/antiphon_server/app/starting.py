"""Starting the services, in the order of their dependencies."""

import asyncio
import logging
from typing import Protocol

from antiphon_server.app.contracts import full_name
from antiphon_server.app.ground import Ground
from antiphon_server.app.links import Links
from antiphon_server.app.wiring import Services
from antiphon_server.auth.compose import Auth, AuthElsewhere
from antiphon_server.context.compose import Context
from antiphon_server.dispatcher.compose import Dispatcher
from antiphon_server.dispatcher.patience import patiently
from antiphon_server.events.compose import Events
from antiphon_server.integration.adapters.lost_calls import LostCalls
from antiphon_server.integration.compose import Integration
from antiphon_server.runtime.concurrency.tasks import TaskSet
from antiphon_server.runtime.nodes import SecretMark
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.peers import PeerHealth
from antiphon_server.runtime.storage.database import Store
from antiphon_server.settings import Settings

log = logging.getLogger(__name__)


class _Availability(Protocol):
    """Something that can be done without; ``changed`` is set when it goes and comes."""

    changed: asyncio.Event

    @property
    def up(self) -> bool: ...


async def start(services: Services, ground: Ground, lifecycle: Lifecycle, health: Health) -> str:
    """Start everything but the ports. Returns the test user's password, if there is one."""
    settings, auth, events = ground.settings, services.auth, services.events
    _watch_peers(services.links, lifecycle, health)
    await _start_guarding(services.guarding, lifecycle, health)
    await services.links.start(lifecycle, health)
    if ground.mark is not None:
        await _leave_mark(ground.mark, services.links, lifecycle)
    if events is not None:
        await _start_log(events, lifecycle)
    if auth is not None:
        await _start_auth(auth, lifecycle, several_nodes=settings.shares_store)
    if services.context is not None:
        await _start_context(services.context, lifecycle, health)
    if services.integration is not None:
        await _start_integration(services.integration, lifecycle)
        if ground.lease is not None:
            lost = LostCalls(ground.database)
            lifecycle.spawn("integration.lost", lost.run(settings.lease_s), vital=False)
    if services.dispatcher is not None:
        links, tasks = services.links, services.turn_tasks
        await _start_dispatcher(services.dispatcher, tasks, links, lifecycle)
    await _show_parts(services, health)
    lifecycle.spawn("store", _report(ground.database, health))
    if ground.redis is not None:
        await _show_helper("redis", ground.redis.availability, lifecycle, health)
    if events is not None and events.bus is not None:
        await _show_helper("bus", events.bus, lifecycle, health)
    return await _test_password(auth, settings) if auth is not None else ""


def _watch_peers(links: Links, lifecycle: Lifecycle, health: Health) -> None:
    lifecycle.on_stop("peers", links.close)
    for name, channel in links.peers.items():
        watch = PeerHealth(name, full_name(name), channel, health)
        lifecycle.spawn(f"peer.{name}.health", watch.run(), vital=False)


async def _start_guarding(
    guarding: Auth | AuthElsewhere, lifecycle: Lifecycle, health: Health
) -> None:
    if isinstance(guarding, AuthElsewhere):
        await _start_elsewhere(guarding, lifecycle, health)
        return
    lifecycle.on_stop("auth", guarding.close)
    await guarding.start()
    lifecycle.spawn("auth.audit", guarding.coalesced.run())
    lifecycle.spawn("auth.alarms", guarding.alarms.run())
    lifecycle.spawn("auth.sessions", guarding.live_sessions.run(), vital=False)
    lifecycle.spawn("auth.expirations", guarding.expirations.run(), vital=False)


async def _start_elsewhere(guarding: AuthElsewhere, lifecycle: Lifecycle, health: Health) -> None:
    async def able() -> None:
        await guarding.follower.ready.wait()
        await health.set("tokens", serving=True)

    await health.set("tokens", serving=False)  # until then nobody is let in
    lifecycle.on_stop("security events", lambda: guarding.coalesced.flush(all_of_it=True))
    lifecycle.spawn("auth.follower", guarding.follower.run())
    lifecycle.spawn("auth.audit", guarding.coalesced.run())
    lifecycle.spawn("auth.ready", able())
    await _show_helper("sessions", guarding.follower.availability, lifecycle, health)


async def _start_log(events: Events, lifecycle: Lifecycle) -> None:
    await events.begin()
    if events.shared:
        lifecycle.spawn("log.nodes", events.keep_up())
    writer = lifecycle.spawn("log", events.log.run())
    lifecycle.on_stop("follows", events.follows.close)

    async def flush() -> None:
        events.log.close()
        await asyncio.wait([writer])

    lifecycle.on_stop("log", flush)
    lifecycle.spawn("log.forget", events.forget(), vital=False)


async def _start_auth(auth: Auth, lifecycle: Lifecycle, *, several_nodes: bool) -> None:
    # What is finished then is told by the log, which takes nothing when it is closed.
    lifecycle.on_stop("auth's work", auth.completion.close)
    if several_nodes:
        lifecycle.spawn("auth.following", auth.following.run())
    lifecycle.spawn("auth.clean-up", auth.clean_up.run(), vital=False)
    lifecycle.spawn("auth.keys", auth.key_rotation.run(), vital=False)
    await auth.greet()


async def _start_context(context: Context, lifecycle: Lifecycle, health: Health) -> None:
    lifecycle.on_stop("context", context.changes.close)
    for name, relay in (("log", context.to_log), ("trail", context.to_trail)):
        await relay.start()
        lifecycle.spawn(f"context.to_{name}", relay.run(), vital=False)
        await _show_helper(f"outbox.{name}", relay, lifecycle, health)
    lifecycle.spawn("context.retention", context.retention.run(), vital=False)


async def _start_integration(integration: Integration, lifecycle: Lifecycle) -> None:
    lifecycle.on_stop("integration", integration.close)
    await integration.start()


async def _leave_mark(mark: SecretMark, links: Links, lifecycle: Lifecycle) -> None:
    """Whoever opened auth's keys, or was signed in, has the right secret."""

    async def leave() -> None:
        await links.trusted()
        await patiently(mark.leave)

    if links.identities:
        lifecycle.spawn("secret", leave())
    else:
        await mark.leave()


async def _start_dispatcher(
    dispatcher: Dispatcher, turn_tasks: TaskSet, links: Links, lifecycle: Lifecycle
) -> None:
    async def take_over() -> None:
        """Not before other services answer it: it would fail what another could go on with."""
        await links.trusted()
        await patiently(lambda: dispatcher.leases.adopt_orphans(own=True))
        await dispatcher.leases.run()

    lifecycle.on_stop("turns' store", dispatcher.close)
    lifecycle.on_stop("turns", turn_tasks.stop)
    lifecycle.on_stop("turns adopted", dispatcher.adoptions.close)
    if links.identities:
        lifecycle.spawn("turns.leases", take_over())
        return
    await dispatcher.leases.adopt_orphans(own=True)
    await dispatcher.adoptions.all_settled()
    lifecycle.spawn("turns.leases", dispatcher.leases.run())


async def _show_parts(services: Services, health: Health) -> None:
    await health.set("store", serving=True)
    if services.events is not None:
        await health.set("log", serving=True)
    if services.dispatcher is not None:
        await health.set("turns.leases", serving=True)


async def _show_helper(
    part: str, availability: _Availability, lifecycle: Lifecycle, health: Health
) -> None:
    """Show something that can be done without: the whole serves while it is away."""
    await health.set(part, availability.up, needed=False)
    lifecycle.spawn(part, _report_absence(part, availability, health), vital=False)


async def _test_password(auth: Auth, settings: Settings) -> str:
    """The test user's, if there is to be one; one of an earlier start is shut out else."""
    if settings.test_users:
        return await auth.test_user.admit()
    if await auth.test_user.shut_out():
        log.warning("the test user of an earlier start is shut out")
    return ""


async def _report(database: Store, health: Health) -> None:
    """Keep health up with whether the store can be written."""
    while True:
        await database.changed.wait()
        database.changed.clear()
        await health.set("store", serving=database.writable)


async def _report_absence(part: str, availability: _Availability, health: Health) -> None:
    """Keep health up with whether something is there that can be done without."""
    while True:
        await availability.changed.wait()
        availability.changed.clear()
        await health.set(part, availability.up, needed=False)
