"""How a memory of others answers, made into metrics when scraped."""

from collections.abc import Iterator
from typing import Any

from antiphon_server.memory.external.asking import Asking
from antiphon_server.memory.external.model import Answered
from antiphon_server.memory.external.overseeing import Overseeing


class ExternalMetrics:
    """A collector for a prometheus_client registry."""

    def __init__(self, asking: Asking, overseeing: Overseeing) -> None:
        self._asking, self._overseeing = asking, overseeing

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield GaugeMetricFamily(
            "antiphon_external_memory_up",
            "1 while the memory of others answers searches, and is told what is new.",
            value=float(self._overseeing.serves),
        )
        searches = CounterMetricFamily(
            "antiphon_external_memory_searches",
            "What came of asking the memory of others: answered, late, failed, left_alone.",
            labels=["outcome"],
        )
        for it in Answered:
            if it is not Answered.NOT_ASKED:
                searches.add_metric([it.name.lower()], self._asking.searches[it])
        yield searches
        yield CounterMetricFamily(
            "antiphon_external_memory_dropped_hits",
            "What the memory of others answered and could not be used.",
            value=self._asking.dropped,
        )
