"""Figures as a table for people and as JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.figures import Figure, number

HEAD = ("measure", "value", "min..max", "unit", "floor", "ratio", "min..max", "target", "met")
_RIGHT = (1, 2, 4, 5, 6)


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table whose columns are aligned."""
    lines = [HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEAD))]
    rule = [f"{'-' * (w - 1)}{':' if at in _RIGHT else '-'}" for at, w in enumerate(widths)]
    rows = [_line(lines[0], widths), _line(rule, widths)]
    return "\n".join([*rows, *(_line(line, widths) for line in lines[1:])])


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """Write the list of objects."""
    path.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n")


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: "-"}[figure.met]
    return (
        figure.name,
        number(figure.value),
        _span([number(value) for value in sorted(figure.rounds)]),
        figure.unit,
        number(figure.floor),
        f"{figure.ratio:.2f}" if figure.ratio is not None else "-",
        _span([f"{ratio:.2f}" for ratio in sorted(figure.ratios)]),
        str(figure.target or "-"),
        met,
    )


def _span(ordered: Sequence[str]) -> str:
    return f"{ordered[0]}..{ordered[-1]}" if len(ordered) > 1 else "-"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    placed = (
        cell.rjust(width) if at in _RIGHT else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(placed)} |"
