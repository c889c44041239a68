"""Counts and durations of calls of tools, made into metrics when scraped."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.runtime.telemetry.metrics import Durations


class ToolMetrics:
    """A collector for a prometheus_client registry; counts from the start of the process.

    Tools are not told apart: others name them, and each would be a series for good.
    """

    def __init__(self) -> None:
        self._ended: defaultdict[tuple[str, str], Durations] = defaultdict(Durations)

    def observe(self, outcome: Outcome, reason: str, seconds: float) -> None:
        """Count a call that has ended, or was refused."""
        self._ended[outcome.name.lower(), reason].add(seconds)

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(
            "antiphon_tool_call_duration_seconds",
            "How long calls of tools took, by how they ended; 0 for those that were refused.",
            labels=["outcome", "reason"],
        )
        for ended, durations in list(self._ended.items()):
            family.add_metric(list(ended), durations.cumulated(), durations.seconds)
        yield family
