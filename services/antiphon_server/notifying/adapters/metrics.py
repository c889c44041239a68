"""What came of deliveries, made into metrics when scraped."""

from collections.abc import Iterator
from typing import Any

from antiphon_server.notifying.delivering import Delivering
from antiphon_server.notifying.model import Outcome


class DeliveryMetrics:
    """A collector for a prometheus_client registry; counts from the start of the process."""

    def __init__(self, delivering: Delivering) -> None:
        self._delivering = delivering

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        what = "What was posted to webhooks, by what came of it."
        attempts = CounterMetricFamily("antiphon_webhook_attempts", what, labels=["outcome"])
        for outcome in Outcome:
            if outcome is not Outcome.NONE:
                count = self._delivering.counted[outcome]
                attempts.add_metric([outcome.name.lower()], count)
        yield attempts
        yield GaugeMetricFamily(
            "antiphon_webhook_deliveries_waiting",
            "Deliveries of all servers that are to be posted, counted four times a minute.",
            value=self._delivering.waiting,
        )
