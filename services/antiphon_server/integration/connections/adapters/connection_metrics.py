"""How connections are, made into metrics when scraped."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import State


class ConnectionMetrics:
    """A collector for a prometheus_client registry.

    Those of the installation are told apart by name. Those of workspaces are counted: others
    name them, and each would be a series for good.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "antiphon_connection_state",
            "1 for the state that a connection of the installation is in.",
            labels=["connection", "state"],
        )
        latencies = GaugeMetricFamily(
            "antiphon_connection_probe_seconds",
            "How long the last probe of a connection of the installation took.",
            labels=["connection"],
        )
        for one in self._connections.installed:
            latencies.add_metric([one.name], one.status.latency_us / 1e6)
            for state in State:
                states.add_metric([one.name, state.name.lower()], float(one.status.state is state))
        yield states
        yield latencies
        counts = GaugeMetricFamily(
            "antiphon_workspace_connections",
            "Connections of workspaces that this server keeps, by state.",
            labels=["state"],
        )
        kept = Counter(one.status.state for one in self._connections.of_workspaces)
        for state in State:
            counts.add_metric([state.name.lower()], kept[state])
        yield counts
