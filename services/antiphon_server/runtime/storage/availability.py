"""Whether something that can be done without is there, and since when it is not."""

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any

log = logging.getLogger(__name__)


class Availability:
    """Notes that something went away and came back; the log says it once each way.

    ``changed`` is set at each change. ``name`` begins the log's sentences, ``metric`` the names
    of two metrics: whether it is away, and since when.
    """

    def __init__(self, name: str, metric: str) -> None:
        self._name = name
        self._metric = metric
        self.changed = asyncio.Event()
        self.down_since: float | None = None
        """In Unix seconds; None while it is there."""

    @property
    def up(self) -> bool:
        """Whether it is there."""
        return self.down_since is None

    def report(self, *, up: bool, why: str = "") -> None:
        """It was found to be there, or not."""
        if up is self.up:
            return
        if up:
            log.warning("%s is back after %.1f s", self._name, time.time() - self._since)
            self.down_since = None
        else:
            self.down_since = time.time()
            because = f" ({why})" if why else ""
            log.warning("%s is away%s; going on without it", self._name, because)
        self.changed.set()

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        yield GaugeMetricFamily(
            self._metric, f"1 while {self._name} is away.", value=float(not self.up)
        )
        yield GaugeMetricFamily(
            f"{self._metric}_since_seconds",
            f"Since when {self._name} is away, in Unix seconds; 0 while it is there.",
            value=self._since,
        )

    @property
    def _since(self) -> float:
        return self.down_since or 0.0
