"""The tables of docs/guides/sizing.md, from figures that were measured."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.repository.files import ROOT

PAGE = ROOT / "docs" / "guides" / "sizing.md"
FIGURES = ROOT / "docs" / "benchmarks" / "sizing.json"
BENCHMARKS = ROOT / "docs" / "benchmarks" / "full.json"
REPLICAS = ROOT / "docs" / "benchmarks" / "mesh.json"
SERVERS = (1, 2, 4)
_PLACE = re.compile(r"(<!-- (stores|server|replicas) -->\n)[^<]*(\n<!-- end -->)")
_OF_A_SERVER = (
    ("memory per idle subscribed stream", "memory of a stream that waits"),
    ("resident after it, existing data", "memory of a server at its start"),
    ("durable posts, 50 clients", "posts, on one core, SQLite"),
    ("turns, 50 clients, 20 deltas", "turns of 20 deltas, on one core, SQLite"),
    ("fan-out to 500 subscribers", "events delivered to 500 streams, half a core"),
    ("resume, 1,000,000 events behind", "events of a stream that catches up"),
)
_OF_REPLICAS = (
    ("posts/s", "posts in 50 conversations"),
    ("ms of processor time a post, servers", "CPU of servers, a post in 50 conversations"),
    ("Postgres", "CPU of Postgres, a post in 50 conversations"),
    ("Envoy", "CPU of Envoy, a post in 50 conversations"),
    ("all", "CPU of all, a post in 50 conversations"),
    ("cores that were busy", "cores busy with posts in 50 conversations"),
    ("events delivered a second", "fan-out to 500"),
)


def written_into(page: str) -> str:
    """The page with its tables."""
    tables = {"stores": _stores(), "server": _server(), "replicas": _replicas()}
    return _PLACE.sub(lambda place: f"{place[1]}\n{tables[place[2]]}\n{place[3]}", page)


def _stores() -> str:
    figures: Mapping[str, float] = json.loads(FIGURES.read_text())
    names = dict.fromkeys(name.partition(": ")[2] for name in figures if name.startswith("turn"))
    rows = [
        (name, _shown(figures.get(f"post: {name}")), _shown(figures.get(f"turn: {name}")))
        for name in names
    ]
    own = [
        (name, _shown(value))
        for name, value in figures.items()
        if name.startswith(("idle", "server"))
    ]
    return "\n\n".join(
        (
            _table(("", "a post", "a turn of 100 deltas"), rows),
            _table(("of each server", "measured"), own),
        )
    )


def _server() -> str:
    measured: list[dict[str, Any]] = json.loads(BENCHMARKS.read_text())
    by_name = {each["name"]: each for each in measured}
    rows = [
        (title, f"{_shown(by_name[name]['value'])} {by_name[name]['unit']}")
        for name, title in _OF_A_SERVER
    ]
    return _table(("of one server", "measured"), rows)


def _replicas() -> str:
    measured: list[dict[str, Any]] = json.loads(REPLICAS.read_text())
    by_name = {each["name"]: each for each in measured}

    def row(title: str, name: str) -> list[str]:
        found = [by_name[f"replicas: {name}, at {count}"] for count in SERVERS]
        alone = found[0]["floor"]
        return [title, _shown(alone), *(_shown(each["value"]) for each in found)]

    rows = [row(title, name) for title, name in _OF_REPLICAS]
    return _table(("", "one alone, SQLite", *map(str, SERVERS)), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    rounded = float(f"{value:.2g}") if value < 1e5 else float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"
