"""Starting the services, in the order of their dependencies."""

from antiphon_server.app.links import ProcessLinks
from antiphon_server.app.wiring import Services
from antiphon_server.dispatcher.outages import patiently
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.nodes import SecretMark
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.optional_part import show_availability
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.storage.database import Store


async def start(
    services: Services, infrastructure: Infrastructure, lifecycle: Lifecycle, health: Health
) -> str:
    """Start everything but the ports. Returns the test user's password, if there is one."""
    services.links.watch_peers(lifecycle, health)
    await services.guarding.start_guarding(lifecycle, health)
    await services.links.start(lifecycle, health)
    if infrastructure.mark is not None:
        await _leave_mark(infrastructure.mark, services.links, lifecycle)
    for each in services.running:
        await each.start(lifecycle, health)
    await health.set("store", serving=True)
    lifecycle.spawn("store", _report(infrastructure.database, health))
    if infrastructure.redis is not None:
        await show_availability("redis", infrastructure.redis.availability, lifecycle, health)
    return await services.auth.test_password() if services.auth is not None else ""


async def _leave_mark(mark: SecretMark, links: ProcessLinks, lifecycle: Lifecycle) -> None:
    """Whoever opened auth's keys, or was signed in, has the right secret."""

    async def leave() -> None:
        await links.trusted()
        await patiently(mark.leave)

    if links.identities:
        lifecycle.spawn("secret", leave())
    else:
        await mark.leave()


async def _report(database: Store, health: Health) -> None:
    """Keep health up with whether the store can be written."""
    while True:
        await database.changed.wait()
        database.changed.clear()
        await health.set("store", serving=database.writable)
