"""Counts of turns and of what they consumed, made into metrics when scraped."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.dispatcher.model import Outcome
from antiphon_server.runtime.errors import Reason

MOST_MODELS = 100
OTHERS = "others"
_NAMES_NONE = (Reason.MODEL_NOT_FOUND,)
"""What a client asked for, and nobody has."""


class TurnMetrics:
    """A collector for a prometheus_client registry; counts from the start of the process.

    ``observe`` is a :class:`~antiphon_server.dispatcher.ports.TurnObserver`.
    """

    def __init__(self) -> None:
        self._models: set[str] = {""}
        self._ended: Counter[tuple[str, str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._cost: Counter[tuple[str, str]] = Counter()

    def observe(self, outcome: Outcome) -> None:
        """Count a turn that has ended."""
        reason = outcome.error.reason.value if outcome.error is not None else ""
        model = self._label(_model_of(outcome))
        self._ended[outcome.state.name.lower(), reason, model] += 1
        usage = outcome.usage
        if usage is None:
            return
        self._tokens[model, "input"] += usage.input_tokens
        self._tokens[model, "output"] += usage.output_tokens
        self._cost[model, usage.currency] += usage.cost_micros or 0

    def _label(self, model: str) -> str:
        """Each is a series for good, so no more than ``MOST_MODELS`` have one of their own."""
        if model not in self._models and len(self._models) > MOST_MODELS:
            return OTHERS
        self._models.add(model)
        return model

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily

        for name, what, labels, counts, per in (
            (
                "antiphon_turns_ended",
                "Turns that ended.",
                ["state", "reason", "model"],
                self._ended,
                1,
            ),
            ("antiphon_turn_tokens", "Tokens of models.", ["model", "kind"], self._tokens, 1),
            (
                "antiphon_turn_cost",
                "What models cost, in units of the currency; unknown prices count as nothing.",
                ["model", "currency"],
                self._cost,
                1e6,
            ),
        ):
            family = CounterMetricFamily(name, what, labels=labels)
            for values, count in list(counts.items()):
                family.add_metric(list(values), count / per)
            yield family


def _model_of(outcome: Outcome) -> str:
    """The one that answered, or that failed before it could."""
    error = outcome.error
    if outcome.model or error is None or error.reason in _NAMES_NONE:
        return outcome.model
    return str(error.metadata.get("model", ""))
