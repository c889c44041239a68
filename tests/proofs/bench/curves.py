"""Growth curves out of single figures, as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.proofs.bench.figures import Figure, number


@dataclass(frozen=True, slots=True)
class Curve:
    """One measure as something grows: ``of_what`` is the something."""

    of_what: str
    measure: str
    unit: str
    points: list[Figure] = field(default_factory=list)

    @property
    def has_floor(self) -> bool:
        """Whether the floor was measured too."""
        return all(it.floor for it in self.points)


def curves_of(figures: Iterable[Figure]) -> list[Curve]:
    """The curves, in the order of their first points."""
    found: dict[str, Curve] = {}
    for figure in figures:
        if figure.curve:
            of_what, _, measure = figure.curve.partition(": ")
            fresh = Curve(of_what, measure, figure.unit)
            found.setdefault(figure.curve, fresh).points.append(figure)
    return list(found.values())


def lines_of(curves: Sequence[Curve]) -> list[list[str]]:
    """A table of curves over the same sizes: head, then a line a curve and one a floor."""
    sizes = [it.at for it in curves[0].points]
    lines = [[curves[0].of_what, *(f"{size:,.0f}" for size in sizes)]]
    for curve in curves:
        name = f"{curve.measure}, {curve.unit}" if curve.unit == "ms" else curve.measure
        lines.append([name, *(number(it.value) for it in curve.points)])
        if curve.has_floor:
            lines.append([f"{name}: floor", *(number(it.floor) for it in curve.points)])
    return lines
