"""The dashboard and the alerts as files have them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.repository.files import ROOT

BOARD = ROOT / "deploy" / "grafana" / "antiphon.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is: columns of 24, and rows."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel, or with the kind ``row`` a heading; ``queries`` are expressions with legends."""

    kind: str
    title: str
    place: Place
    unit: str
    words: dict[str, str]
    nothing: str
    stacked: bool
    queries: tuple[tuple[str, str], ...]


def panels() -> Iterator[Panel]:
    """All of them, in their order."""
    for each in json.loads(BOARD.read_text())["panels"]:
        defaults = each.get("fieldConfig", {}).get("defaults", {})
        yield Panel(
            each["type"],
            each["title"],
            Place(**each["gridPos"]),
            defaults.get("unit", "short"),
            _words(defaults),
            defaults.get("noValue", ""),
            "stacking" in defaults.get("custom", {}),
            tuple((one["expr"], one["legendFormat"]) for one in each.get("targets", ())),
        )


def _words(defaults: dict[str, Any]) -> dict[str, str]:
    return {
        value: said["text"]
        for mapping in defaults.get("mappings", ())
        for value, said in mapping["options"].items()
    }


def filled_in(expression: str, window: str = "1m", instance: str = ".+") -> str:
    """As Grafana sends it."""
    return expression.replace("$__rate_interval", window).replace("$instance", instance)


def alerts() -> dict[str, str]:
    """Expressions by the alerts' names."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
