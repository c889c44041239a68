"""What is registered, for Prometheus."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.mesh.registry import Registry


class RegistryMetrics:
    """A collector of prometheus_client."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        known = (each.announced for each in self._registry.instances())
        found = Counter((each.key.service, each.state.name.lower()) for each in known)
        gauge = GaugeMetricFamily(
            "antiphon_mesh_instances",
            "Nodes that are registered, by service and state.",
            labels=["service", "state"],
        )
        for labels, count in found.items():
            gauge.add_metric(labels, count)
        yield gauge
