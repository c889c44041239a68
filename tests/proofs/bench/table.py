"""Figures as tables for people and as JSON for programs."""

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.proofs.bench.curves import curves_of, lines_of
from tests.proofs.bench.figures import Figure, figure_of, number

HEAD = ["measure", "value", "min..max", "unit", "floor", "ratio", "min..max", "target", "met"]
_RIGHT = (1, 2, 4, 5, 6)


def tables(figures: Sequence[Figure]) -> str:
    """Markdown tables: of the figures that stand alone, and one of each kind of growth."""
    alone = [figure for figure in figures if not figure.curve]
    parts = [markdown([HEAD, *(_cells(figure) for figure in alone)], _RIGHT)] if alone else []
    for _, group in itertools.groupby(curves_of(figures), lambda curve: curve.of_what):
        lines = lines_of(list(group))
        parts.append(markdown(lines, range(1, len(lines[0]))))
    return "\n\n".join(parts)


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """Write the list of objects."""
    path.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n")


def read_json(path: Path) -> list[Figure]:
    """What ``write_json`` wrote."""
    return [figure_of(it) for it in json.loads(path.read_text())]


def markdown(lines: Sequence[Sequence[str]], right: Iterable[int]) -> str:
    """A table whose columns are aligned, those in ``right`` to the right."""
    to_right = set(right)
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    rule = [f"{'-' * (w - 1)}{':' if at in to_right else '-'}" for at, w in enumerate(widths)]

    def placed(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if at in to_right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(aligned)} |"

    return "\n".join([placed(lines[0]), placed(rule), *(placed(line) for line in lines[1:])])


def _cells(figure: Figure) -> list[str]:
    met = {True: "yes", False: "NO", None: "-"}[figure.met]
    return [
        figure.name,
        number(figure.value),
        _span([number(value) for value in sorted(figure.rounds)]),
        figure.unit,
        number(figure.floor),
        f"{figure.ratio:.2f}" if figure.ratio is not None else "-",
        _span([f"{ratio:.2f}" for ratio in sorted(figure.ratios)]),
        str(figure.target or "-"),
        met,
    ]


def _span(ordered: Sequence[str]) -> str:
    return f"{ordered[0]}..{ordered[-1]}" if len(ordered) > 1 else "-"
