"""What turns came to is counted."""

from prometheus_client import CollectorRegistry

from antiphon_server.dispatcher.adapters.turn_metrics import MOST_MODELS, OTHERS, TurnMetrics
from antiphon_server.dispatcher.model import Outcome, State, Usage
from antiphon_server.runtime.errors import DomainError, Reason


def test_turns_tokens_and_costs_are_counted() -> None:
    """By how they ended and why, by model, and in units of money."""
    metrics, registry = TurnMetrics(), CollectorRegistry()
    registry.register(metrics)
    usage = Usage(input_tokens=10, output_tokens=4, cost_micros=1_500_000)
    metrics.observe(Outcome(State.SUCCEEDED, usage=usage, model="openai/x"))
    metrics.observe(Outcome(State.SUCCEEDED, usage=usage, model="openai/x"))
    metrics.observe(Outcome(State.FAILED, DomainError(Reason.MODEL_TIMEOUT, model="openai/x")))
    value = registry.get_sample_value
    ended = "antiphon_turns_ended_total"
    assert value(ended, {"state": "succeeded", "reason": "", "model": "openai/x"}) == 2
    failed = {"state": "failed", "reason": "MODEL_TIMEOUT", "model": "openai/x"}
    assert value(ended, failed) == 1
    tokens = "antiphon_turn_tokens_total"
    assert value(tokens, {"model": "openai/x", "kind": "input"}) == 20
    assert value(tokens, {"model": "openai/x", "kind": "output"}) == 8
    cost = {"model": "openai/x", "currency": "USD"}
    assert value("antiphon_turn_cost_total", cost) == 3.0


def test_models_without_end_are_one_series() -> None:
    """However many names come, and whatever a client calls one that is not there."""
    metrics, registry = TurnMetrics(), CollectorRegistry()
    registry.register(metrics)
    for number in range(MOST_MODELS + 5):
        metrics.observe(Outcome(State.SUCCEEDED, model=f"openai/{number}"))
    unknown = DomainError(Reason.MODEL_NOT_FOUND, model="what a client wrote")
    metrics.observe(Outcome(State.FAILED, unknown))
    value = registry.get_sample_value
    ended = "antiphon_turns_ended_total"
    assert value(ended, {"state": "succeeded", "reason": "", "model": OTHERS}) == 5
    assert value(ended, {"state": "failed", "reason": "MODEL_NOT_FOUND", "model": ""}) == 1
