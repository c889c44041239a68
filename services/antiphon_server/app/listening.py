"""Opening the ports, when everything serves behind them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from antiphon_server.app.browsers import open_pages
from antiphon_server.app.machine import MachineFigures
from antiphon_server.app.own_address import own_address
from antiphon_server.app.wiring import Services
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.net.tls import ServerTls
from antiphon_server.runtime.nodes import NodeLease
from antiphon_server.runtime.process.admin import Admin
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.memory import collect_seldom, give_back
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.limits import Limits, allowed_connections
from antiphon_server.runtime.rpc.reflection import register_reflection
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.settings import Settings


@dataclass(frozen=True, slots=True)
class App:
    """A server that serves: its ports, and the way for it to say that it can't go on.

    ``table`` takes the same calls without a port, guarded in the same way. ``streams`` says
    how many clients have open. ``test_password`` is the test user's, if there is one.
    """

    port: int
    admin_port: int | None
    web_port: int | None
    crashed: asyncio.Event
    table: LocalServer
    streams: Callable[[], int]
    test_password: str = field(default="", repr=False)


async def listen(
    services: Services,
    settings: Settings,
    infrastructure: Infrastructure,
    lifecycle: Lifecycle,
    health: Health,
    password: str,
) -> App:
    """Open the ports and say that everything serves; at the end, drain.

    Raises CannotListen, UnusableCertificate; for browsers what ``open_pages`` raises.
    """
    table = services.table
    await _show(table, health, reflects=settings.reflects)
    tls = ServerTls(settings.tls) if settings.tls else None
    port = await _open(services, settings, tls, infrastructure.lease, lifecycle)
    web_port = await open_pages(services, settings, lifecycle, port) if settings.web else None
    lifecycle.on_stop("drain", lambda: _drain(services, health, settings.drain_grace_s))
    admin_port = await _open_admin(services, settings, tls, infrastructure, lifecycle, health)
    await health.ready()
    collect_seldom()
    give_back()
    crashed = lifecycle.crashed
    return App(port, admin_port, web_port, crashed, table, services.streams, password)


async def _show(table: LocalServer, health: Health, *, reflects: bool) -> None:
    """Let clients ask for the services' health, and what the services are."""
    for service in list(table.services):
        await health.set(service, serving=True)
    health.register(table)
    if reflects:
        register_reflection(table)


async def _open(
    services: Services,
    settings: Settings,
    tls: ServerTls | None,
    lease: NodeLease | None,
    lifecycle: Lifecycle,
) -> int:
    shown = (tls.credentials(), tls.handshakes.called) if tls else ()
    server = Server(services.table, _limits(settings), *shown)
    if tls is not None:
        lifecycle.spawn("handshakes", tls.handshakes.run(), vital=False)
    lifecycle.on_stop("local calls", services.stop_local_calls)
    lifecycle.on_stop("server", lambda: server.stop(1.0))
    port = await server.start(settings.host, settings.port, *settings.more_ports)
    if lease is not None:
        await lease.announce(own_address(settings, port))
    return port


def _limits(settings: Settings) -> Limits:
    """Those of a port for anybody, or for a proxy and peers, which carry the streams of many."""
    limits = Limits(connections=allowed_connections())
    return replace(limits, streams=limits.rpcs) if settings.elsewhere or settings.web else limits


async def _drain(services: Services, health: Health, grace_s: float) -> None:
    await health.drain()
    async with asyncio.TaskGroup() as parts:
        for each in services.running:
            parts.create_task(each.drain(grace_s))


async def _machine(
    settings: Settings, tls: ServerTls | None, lifecycle: Lifecycle
) -> MachineFigures:
    own, ends = settings.database_url is None, (lambda: tls.ends) if tls else None
    figures = MachineFigures(settings.data_dir, own_database=own, ends=ends)
    await figures.look()
    lifecycle.spawn("figures of the machine", figures.run(), vital=False)
    return figures


async def _open_admin(
    services: Services,
    settings: Settings,
    tls: ServerTls | None,
    infrastructure: Infrastructure,
    lifecycle: Lifecycle,
    health: Health,
) -> int | None:
    if settings.admin_port is None:
        return None
    machine = await _machine(settings, tls, lifecycle)
    own = [infrastructure.metrics, infrastructure.shares, machine]
    collectors = [*own, *infrastructure.guard.collectors, *([tls.handshakes] if tls else [])]
    for each in services.running:
        collectors += each.collectors()
    admin = Admin(health, collectors)
    lifecycle.on_stop("admin", admin.stop)
    return await admin.start(settings.admin_port, settings.admin_host)
