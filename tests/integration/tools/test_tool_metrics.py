"""What calls of tools came to is counted."""

from prometheus_client import CollectorRegistry

from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.integration.tools.adapters.tool_metrics import ToolMetrics


def test_calls_are_counted_by_how_they_ended() -> None:
    """And why, and with how long they took; their names are no labels."""
    metrics, registry = ToolMetrics(), CollectorRegistry()
    registry.register(metrics)
    metrics.observe(Outcome.SUCCEEDED, "", 0.004)
    metrics.observe(Outcome.SUCCEEDED, "", 70.0)
    metrics.observe(Outcome.FAILED, "TOOL_HELD", 0.0)
    name, well = "antiphon_tool_call_duration_seconds", {"outcome": "succeeded", "reason": ""}
    value = registry.get_sample_value
    assert value(f"{name}_count", well) == 2
    assert value(f"{name}_sum", well) == 70.004
    assert value(f"{name}_bucket", {**well, "le": "0.005"}) == 1
    assert value(f"{name}_count", {"outcome": "failed", "reason": "TOOL_HELD"}) == 1
