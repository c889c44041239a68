"""Which models are asked, made into a metric when scraped."""

from collections.abc import Iterator
from typing import Any

from antiphon_server.integration.models.catalogue import Catalogue
from antiphon_server.runtime.concurrency.breaker import State


class ModelMetrics:
    """A collector for a prometheus_client registry."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import GaugeMetricFamily

        states = GaugeMetricFamily(
            "antiphon_model_breaker_state",
            "1 for the state that the breaker of a model is in.",
            labels=["model", "state"],
        )
        for model in self._catalogue.all:
            for state in State:
                in_it = model.breaker.state is state
                states.add_metric([model.name, state.name.lower()], float(in_it))
        yield states
