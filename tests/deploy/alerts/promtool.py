"""Prometheus' own tests of rules: which alerts are raised by which series, and when."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.deploy.alerts.cases import EVERY_S
from tests.deploy.dashboard.board import ALERTS
from tests.e2e.until import PATIENCE_S

RAISED = 'ALERTS{alertstate="firing"}'
LABELS = (
    "alertname",
    "instance",
    "part",
    "method",
    "kind",
    "connection",
    "model",
    "provider",
)
"""Those that summaries name, and the alert's own."""


def metric(name: str, labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}"


def wrong(
    folder: Path,
    series: Mapping[str, str],
    minutes: float,
    raised: Sequence[Mapping[str, str]],
) -> str:
    """What promtool says if not just these alerts are raised by then; empty if they are."""
    file = folder / "tests.json"  # which is YAML, too
    file.write_text(json.dumps(_tests(series, minutes, raised)))
    done = subprocess.run(
        ["promtool", "test", "rules", file], capture_output=True, text=True, timeout=PATIENCE_S
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _tests(
    series: Mapping[str, str], minutes: float, raised: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    every = f"{EVERY_S}s"
    expected = [{"labels": metric("", labels), "value": 1} for labels in raised]
    question = {
        "expr": f"count by ({','.join(LABELS)}) ({RAISED})",
        "eval_time": f"{int(minutes * 60)}s",
        "exp_samples": expected,
    }
    test = {
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [question],
    }
    return {"rule_files": [str(ALERTS)], "evaluation_interval": every, "tests": [test]}
