"""Registering this process's services in a mesh, if there is one."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from antiphon_server.app.ground import Ground
from antiphon_server.app.peer_tls import peer_tls
from antiphon_server.app.secret import AUDIENCE, installation_secret
from antiphon_server.auth.service.service_statements import StatementSigner
from antiphon_server.mesh.instances import Announced, Key, Load
from antiphon_server.mesh.model import Address
from antiphon_server.runtime.configuration import WrongSetting, host_and_port
from antiphon_server.runtime.health import Health
from antiphon_server.runtime.ids import new_id
from antiphon_server.runtime.lifecycle import Lifecycle
from antiphon_server.runtime.metrics import RpcMetrics
from antiphon_server.settings import Settings


class Membership:
    """This process in its mesh.

    It is announced from ``begin`` on, once it can do what it is called for. At the lifecycle's
    end calls are sent elsewhere before the port closes. Raises what the secret can't be used
    for, and WrongSetting if others can't know where this process is.
    """

    def __init__(self, ground: Ground, lifecycle: Lifecycle) -> None:
        from antiphon_server.mesh.registration import Registration
        from antiphon_server.mesh.registrations import Registrations

        settings = ground.settings
        node_id, secret = new_id("node"), installation_secret(settings)
        tls = peer_tls(settings)
        instances: dict[str, Callable[[], Announced]] = {
            name: partial(self._now, name, node_id, ground.metrics) for name in settings.services
        }
        statements: dict[str, Callable[[], str]] = {
            name: StatementSigner(secret, name, AUDIENCE, time.time).statement
            for name in settings.services
        }
        self._host, self._port = _place(settings)
        self._version = version("antiphon")
        self._lifecycle = lifecycle
        self._registrations = [
            Registrations(
                registry,
                lambda channel: Registration(channel, instances, statements),
                tls.credentials() if tls else None,
            )
            for registry in settings.registries
        ]
        for each in self._registrations:
            lifecycle.on_stop("registry", each.close)
            lifecycle.on_stop("membership", each.forget)
            lifecycle.spawn("registration", each.run(), vital=False)

    def begin(self, port: int, health: Health) -> None:
        """All ports are open, that one for calls."""
        self._port = self._port or port
        self._lifecycle.spawn("membership", self._join(health), vital=False)
        self._lifecycle.on_stop("withdrawal", self._withdraw)

    async def _join(self, health: Health) -> None:
        """Far from the auth service one can't tell at first who is let in."""
        await health.well.wait()
        for each in self._registrations:
            each.begin()

    async def _withdraw(self) -> None:
        await asyncio.gather(*(each.withdraw() for each in self._registrations))

    def _now(self, service: str, node_id: str, metrics: RpcMetrics) -> Announced:
        return Announced(
            Key(service, node_id),
            Address(self._host, self._port),
            version=self._version,
            load=_load(service, metrics),
        )


def _load(service: str, metrics: RpcMetrics) -> Load:
    """What one service's methods have counted."""
    prefix = f"/antiphon.{service}."
    of_service = [of for name, of in metrics.methods.items() if name.startswith(prefix)]
    counted = [each.counted() for each in of_service]
    return Load(
        sum(ended for ended, _ in counted),
        sum(failed for _, failed in counted),
        sum(each.running for each in of_service),
    )


def _place(settings: Settings) -> tuple[str, int]:
    """Where others reach this process: an IP address, and a port or 0 for the one it opens.

    Raises WrongSetting.
    """
    host, port = settings.host, 0
    if settings.node_address:
        host, port = host_and_port("node_address", settings.node_address)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        ip = _looked_up(host)
    if ip.is_unspecified:  # a container knows its own address by its name
        ip = _looked_up(socket.gethostname())
        if ip.is_loopback:
            raise WrongSetting(
                f"node_address: say at which address others reach this server: it listens on {host}"
            )
    return str(ip), port


def _looked_up(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise WrongSetting(f"node_address: nobody knows the address of {host}") from error
    return ipaddress.ip_address(found[0][4][0])
