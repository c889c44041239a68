"""Counts of turns and of what they consumed, made into metrics when scraped."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from antiphon_server.dispatcher.model import Outcome


class TurnMetrics:
    """A collector for a prometheus_client registry; counts from the start of the process.

    ``observe`` is a :class:`~antiphon_server.dispatcher.ports.TurnObserver`.
    """

    def __init__(self) -> None:
        self._ended: Counter[tuple[str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._cost: Counter[tuple[str, str]] = Counter()

    def observe(self, outcome: Outcome) -> None:
        """Count a turn that has ended."""
        reason = outcome.error.reason.value if outcome.error is not None else ""
        self._ended[outcome.state.name.lower(), reason] += 1
        usage = outcome.usage
        if usage is None:
            return
        self._tokens[outcome.model, "input"] += usage.input_tokens
        self._tokens[outcome.model, "output"] += usage.output_tokens
        self._cost[outcome.model, usage.currency] += usage.cost_micros or 0

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily

        for name, what, labels, counts, per in (
            ("antiphon_turns_ended", "Turns that ended.", ["state", "reason"], self._ended, 1),
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
