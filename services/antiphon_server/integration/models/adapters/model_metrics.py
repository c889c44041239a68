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
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        states = GaugeMetricFamily(
            "antiphon_model_breaker_state",
            "1 for the state that the breaker of a model is in.",
            labels=["model", "state"],
        )
        calls = GaugeMetricFamily(
            "antiphon_model_calls",
            "Calls that have one of a model's places, and that wait for one.",
            labels=["model", "state"],
        )
        refused = CounterMetricFamily(
            "antiphon_model_calls_refused",
            "Calls that found no place at a model.",
            labels=["model"],
        )
        by_hand = GaugeMetricFamily(
            "antiphon_model_breaker_by_hand",
            "1 while an operator has a model asked no more.",
            labels=["model"],
        )
        for model in self._catalogue.all:
            by_hand.add_metric([model.name], float(model.breaker.by_hand))
            calls.add_metric([model.name, "made"], model.places.taken)
            calls.add_metric([model.name, "waiting"], model.places.waiting)
            refused.add_metric([model.name], model.places.refused)
            for state in State:
                in_it = model.breaker.state is state
                states.add_metric([model.name, state.name.lower()], float(in_it))
        yield from (states, by_hand, calls, refused)
