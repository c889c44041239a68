"""Tells Envoys where services are, as the registry has it."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence

from antiphon_server.mesh.certificates import Certificates
from antiphon_server.mesh.edge.dynamic import Configuration
from antiphon_server.mesh.instances import Registered, State
from antiphon_server.mesh.model import Address, Edge
from antiphon_server.mesh.registry import Registry
from antiphon_server.mesh.xds.service import Source

REGISTRY = "mesh"
log = logging.getLogger(__name__)


class ControlPlane:
    """Makes of the registry what Envoys are told; ``run`` must be running.

    ``own`` is where the registry itself is served, for operators who ask through an edge. Unless
    it ``is_open`` an edge does not listen yet. Raises UnusableCertificate.
    """

    def __init__(
        self, registry: Registry, edge: Edge, own: Address, source: Source, *, is_open: bool
    ) -> None:
        self._registry = registry
        self._certificates = Certificates(edge)
        self._configuration = Configuration(edge, self._certificates.found())
        self._own = own
        self._source = source
        self._is_open = is_open

    async def run(self) -> None:
        """Tell it, and again whenever it is another, until cancelled.

        Nothing is told before nodes had the time to come back after a restart of this process:
        Envoys go on with what they know.
        """
        await self._registry.settled.wait()
        while True:
            version = self._registry.version
            self._publish()
            await self._registry.later_than(version)

    def open(self) -> None:
        """From now on edges may listen."""
        self._is_open = True
        if self._registry.settled.is_set():
            self._publish()

    async def renew(self) -> None:
        """Tell Envoys of certificates whose files were renewed since."""
        if await asyncio.to_thread(self._certificates.renewed):
            self._configuration.show(self._certificates.found())
            if self._registry.settled.is_set():
                self._publish()

    def _publish(self) -> None:
        where = addresses(self._registry.instances())
        where[REGISTRY] = [self._own]
        self._source.send(self._configuration.snapshot(where, is_open=self._is_open))
        log.debug("services are at: %s", _in_words(where))


def addresses(instances: Sequence[Registered]) -> dict[str, list[Address]]:
    """Where calls of each service may be sent."""
    found: dict[str, list[Address]] = defaultdict(list)
    for each in instances:
        if each.announced.state is State.SERVING:
            found[each.announced.key.service].append(each.announced.address)
    return found


def _in_words(where: Mapping[str, Sequence[Address]]) -> str:
    return "; ".join(f"{name}: {', '.join(map(str, at))}" for name, at in sorted(where.items()))
