"""How connections are, made into metrics when scraped."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.model import State
from antiphon_server.runtime.concurrency.breaker import State as BreakerState


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
        yield from self._breakers()
        counts = GaugeMetricFamily(
            "antiphon_workspace_connections",
            "Connections of workspaces that this server keeps, by state.",
            labels=["state"],
        )
        kept = Counter(one.status.state for one in self._connections.of_workspaces)
        for state in State:
            counts.add_metric([state.name.lower()], kept[state])
        yield counts

    def _breakers(self) -> Iterator[Any]:
        """Which connections are called."""
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "antiphon_connection_breaker_state",
            "1 for the state that the breaker of a connection of the installation is in.",
            labels=["connection", "state"],
        )
        by_hand = GaugeMetricFamily(
            "antiphon_connection_breaker_by_hand",
            "1 while an operator has no calls made by a connection of the installation.",
            labels=["connection"],
        )
        for one in self._connections.installed:
            by_hand.add_metric([one.name], float(one.breaker.by_hand))
            for state in BreakerState:
                in_it = one.breaker.state is state
                states.add_metric([one.name, state.name.lower()], float(in_it))
        counts = GaugeMetricFamily(
            "antiphon_workspace_connection_breakers",
            "Connections of workspaces that this server keeps, by the state of their breakers.",
            labels=["state"],
        )
        kept = Counter(one.breaker.state for one in self._connections.of_workspaces)
        for state in BreakerState:
            counts.add_metric([state.name.lower()], kept[state])
        yield from (states, by_hand, counts)
