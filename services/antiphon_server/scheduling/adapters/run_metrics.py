"""Counts of due times, made into metrics when scraped."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.runtime.telemetry.metrics import Durations
from antiphon_server.scheduling.model import Outcome, Run


class RunMetrics:
    """A collector for a prometheus_client registry, and a
    :class:`~antiphon_server.scheduling.ports.Watches`; counts from the start of the process.
    """

    def __init__(self) -> None:
        self._due = 0
        self._decided: Counter[Outcome] = Counter()
        self._lag = Durations()

    def looked(self, due: int) -> None:
        """See :meth:`Watches.looked`."""
        self._due = due

    def decided(self, run: Run) -> None:
        """See :meth:`Watches.decided`."""
        self._decided[run.outcome] += run.skipped or 1
        if run.outcome is Outcome.STARTED:
            self._lag.add(max(run.run_us - run.due_us, 0) / 1e6)

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        yield GaugeMetricFamily(
            "antiphon_schedules_due",
            "Schedules that were due when this process looked last, whichever starts their turns.",
            value=self._due,
        )
        decided = CounterMetricFamily(
            "antiphon_schedule_due_times", "Due times that were decided here.", labels=["outcome"]
        )
        for outcome in Outcome:
            decided.add_metric([outcome.name.lower()], self._decided[outcome])
        yield decided
        yield HistogramMetricFamily(
            "antiphon_schedule_lag_seconds",
            "How long after their due times turns were started.",
            buckets=self._lag.cumulated(),
            sum_value=self._lag.seconds,
        )
