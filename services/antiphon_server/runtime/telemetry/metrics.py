"""Counts and durations of RPCs: integers on the way, made into metrics when scraped."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Upper bounds of the duration histogram's buckets, in seconds."""
OWN_FAULTS = ("UNKNOWN", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
"""Codes of RPCs that failed by the server's fault."""


class Durations:
    """How long things of one kind took, in seconds."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def cumulated(self) -> list[tuple[str, float]]:
        """How many took at most as long as each bound, as prometheus_client takes it."""
        bounds = [*map(str, BOUNDS), "+Inf"]
        return list(zip(bounds, accumulate(self.buckets), strict=True))


class MethodMetrics:
    """What is known of one method's RPCs. ``running`` counts those not yet ended."""

    __slots__ = ("by_code", "running")

    def __init__(self) -> None:
        self.running = 0
        self.by_code: defaultdict[str, Durations] = defaultdict(Durations)

    def counted(self) -> tuple[int, int]:
        """How many RPCs ended, and how many of them failed by the server's fault."""
        by_code = {code: sum(of.buckets) for code, of in self.by_code.items()}
        return sum(by_code.values()), sum(by_code.get(code, 0) for code in OWN_FAULTS)

    def ended(self, code: str, seconds: float) -> None:
        """Count an RPC that ended with ``code`` after ``seconds``."""
        self.running -= 1
        self.by_code[code].add(seconds)


class RpcMetrics:
    """All methods' metrics; a collector for a prometheus_client registry."""

    def __init__(self) -> None:
        self.methods: dict[str, MethodMetrics] = {}

    def method(self, name: str) -> MethodMetrics:
        """The metrics of a method, by its full name."""
        return self.methods.setdefault(name, MethodMetrics())

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

        durations = HistogramMetricFamily(
            "antiphon_rpc_duration_seconds",
            "How long RPCs took, by method and code.",
            labels=["method", "code"],
        )
        running = GaugeMetricFamily(
            "antiphon_rpc_running", "RPCs that have not ended.", labels=["method"]
        )
        for name, metrics in list(self.methods.items()):
            running.add_metric([name], metrics.running)
            for code, measured in list(metrics.by_code.items()):
                durations.add_metric([name, code], measured.cumulated(), measured.seconds)
        yield durations
        yield running


class Gauges:
    """Numbers that are looked up when scraped: name -> (what it says, how to find it)."""

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        for name, (what, find) in self._gauges.items():
            yield GaugeMetricFamily(name, what, value=find())
