"""Registering this process's services in a mesh, if there is one."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from antiphon_server.app.own_address import advertised_address
from antiphon_server.app.peer_tls import peer_tls
from antiphon_server.app.secret import AUDIENCE
from antiphon_server.auth.service.service_statements import StatementSigner
from antiphon_server.mesh.instances import Announced, Key, Load
from antiphon_server.mesh.model import Address
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.runtime.telemetry.metrics import RpcMetrics
from antiphon_server.settings import Settings


class Membership:
    """This process in its mesh.

    It is announced from ``begin`` on, once it can do what it is called for. At the lifecycle's
    end calls are sent elsewhere before the port closes.
    """

    def __init__(
        self, settings: Settings, infrastructure: Infrastructure, lifecycle: Lifecycle
    ) -> None:
        from antiphon_server.mesh.registration import Registration
        from antiphon_server.mesh.registrations import Registrations

        node_id, secret = new_id("node"), infrastructure.secret
        tls = peer_tls(settings)
        instances: dict[str, Callable[[], Announced]] = {
            name: partial(self._now, name, node_id, infrastructure.metrics)
            for name in settings.services
        }
        statements: dict[str, Callable[[], str]] = {
            name: StatementSigner(secret, name, AUDIENCE, time.time).statement
            for name in settings.services
        }
        self._settings = settings
        self._where = Address("", 0)
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
            lifecycle.spawn("registration", each.run(), vital=False)
            lifecycle.on_stop("membership", each.forget)  # before its renewals are cut off

    async def begin(self, port: int, health: Health) -> None:
        """All ports are open, that one for calls.

        Raises WrongSetting if others can't know where this process is.
        """
        host, given = await advertised_address(self._settings)
        self._where = Address(host, given or port)
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
            self._where,
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
