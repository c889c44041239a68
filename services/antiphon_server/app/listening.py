"""Opening the ports, when everything serves behind them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from antiphon_server.app.browsers import open_pages
from antiphon_server.app.ground import Ground
from antiphon_server.app.place import own_address
from antiphon_server.app.wiring import Services
from antiphon_server.runtime.channels.local_channel import LocalServer
from antiphon_server.runtime.net.tls import ServerTls
from antiphon_server.runtime.process.admin import Admin
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.process.memory import collect_seldom, give_back
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.rpc.limits import Limits, allowed_connections
from antiphon_server.runtime.rpc.reflection import register_reflection
from antiphon_server.runtime.rpc.server import Server
from antiphon_server.runtime.telemetry.metrics import Gauges
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
    services: Services, ground: Ground, lifecycle: Lifecycle, health: Health, password: str
) -> App:
    """Open the ports and say that everything serves; at the end, drain.

    Raises CannotListen, UnusableCertificate; for browsers what ``open_pages`` raises.
    """
    table = services.table
    await _show(table, health, reflects=ground.settings.reflects)
    port = await _open(services, ground, lifecycle)
    web_port = await _open_web(services, ground, lifecycle, port)
    lifecycle.on_stop("drain", lambda: _drain(services, health, ground.settings.drain_grace_s))
    admin_port = await _open_admin(services, ground, lifecycle, health)
    await health.ready()
    collect_seldom()
    give_back()
    crashed = lifecycle.crashed
    return App(port, admin_port, web_port, crashed, table, lambda: _streams(services), password)


async def _show(table: LocalServer, health: Health, *, reflects: bool) -> None:
    """Let clients ask for the services' health, and what the services are."""
    for service in list(table.services):
        await health.set(service, serving=True)
    health.register(table)
    if reflects:
        register_reflection(table)


async def _open(services: Services, ground: Ground, lifecycle: Lifecycle) -> int:
    settings = ground.settings
    tls = ServerTls(settings.tls).credentials() if settings.tls else None
    server = Server(services.table, _limits(settings), tls)
    lifecycle.on_stop("local calls", services.stop_local_calls)
    lifecycle.on_stop("server", lambda: server.stop(1.0))
    port = await server.start(settings.host, settings.port, *settings.more_ports)
    if ground.lease is not None:
        await ground.lease.announce(own_address(settings, port))
    return port


def _limits(settings: Settings) -> Limits:
    """Those of a port for anybody, or for a proxy and peers, which carry the streams of many."""
    limits = Limits(connections=allowed_connections())
    return replace(limits, streams=limits.rpcs) if settings.elsewhere or settings.web else limits


async def _open_web(
    services: Services, ground: Ground, lifecycle: Lifecycle, port: int
) -> int | None:
    if not ground.settings.web:
        return None
    return await open_pages(services, ground.settings, lifecycle, port)


async def _drain(services: Services, health: Health, grace_s: float) -> None:
    await health.drain()
    if services.auth is not None:
        services.auth.audit_watches.drain()
        services.auth.session_feed.drain()
    async with asyncio.TaskGroup() as parts:
        if services.events is not None:
            parts.create_task(services.events.subscriptions.drain())
        if services.dispatcher is not None:
            parts.create_task(services.dispatcher.turns.drain(grace_s))


async def _open_admin(
    services: Services, ground: Ground, lifecycle: Lifecycle, health: Health
) -> int | None:
    if ground.settings.admin_port is None:
        return None
    collectors = [ground.metrics, _gauges(services), *ground.guard.collectors]
    if services.auth is not None:
        collectors.append(services.auth.metrics)
    if services.context is not None:
        collectors.append(ground.names)
    if services.events is not None and services.events.bus is not None:
        collectors.append(services.events.bus)
    if services.dispatcher is not None:
        collectors.append(services.dispatcher.metrics)
    admin = Admin(health, collectors)
    lifecycle.on_stop("admin", admin.stop)
    return await admin.start(ground.settings.admin_port, ground.settings.admin_host)


def _streams(services: Services) -> int:
    return len(services.events.subscriptions) if services.events is not None else 0


def _gauges(services: Services) -> Gauges:
    gauges: dict[str, tuple[str, Callable[[], float]]] = {}
    if services.events is not None:
        log = services.events.log
        gauges |= {
            "antiphon_streams_open": (
                "Streams that clients have open.",
                lambda: _streams(services),
            ),
            "antiphon_log_waiting": ("Appends that wait for their commit.", lambda: log.waiting),
            "antiphon_log_ring_bytes": (
                "What the rings of newest events hold.",
                lambda: log.ring_bytes,
            ),
        }
    if services.context is not None:
        for name, relay in (("log", services.context.to_log), ("trail", services.context.to_trail)):
            gauges[f"antiphon_outbox_{name}_set_aside"] = (
                f"Changes that the {name} refused for good, to be tried again at the next start.",
                lambda relay=relay: relay.set_aside,  # type: ignore[misc]
            )
    if services.dispatcher is not None:
        gauges["antiphon_turns_in_hand"] = (
            "Turns that this process works on or keeps waiting.",
            lambda: len(services.turn_tasks),
        )
    return Gauges(gauges)
