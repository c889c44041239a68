"""What a row says: a figure, its floor, what it should reach; and the statistics behind it."""

import math
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_TARGET = re.compile(r"at (most|least) ([\d.,]+)( x floor)?")


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the figure: times its floor, or in its own unit where ``of_floor`` is not set."""

    bound: float
    at_most: bool = True
    of_floor: bool = True

    def met(self, value: float | None) -> bool | None:
        """Whether a ratio or value is within the bound; None if there is none."""
        if value is None:
            return None
        return value <= self.bound if self.at_most else value >= self.bound

    @classmethod
    def of(cls, text: str) -> "Target | None":
        """What a target printed itself as; None of an empty text."""
        found = _TARGET.fullmatch(text)
        if found is None:
            return None
        bound = float(found[2].replace(",", ""))
        return cls(bound, at_most=found[1] == "most", of_floor=bool(found[3]))

    def __str__(self) -> str:
        side = "at most" if self.at_most else "at least"
        return f"{side} {self.bound:,g}{' x floor' if self.of_floor else ''}"


def at_most(bound: float, *, of_floor: bool = True) -> Target:
    """Less is better."""
    return Target(bound, at_most=True, of_floor=of_floor)


def at_least(bound: float, *, of_floor: bool = True) -> Target:
    """More is better."""
    return Target(bound, at_most=False, of_floor=of_floor)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. ``floor`` is in the same unit, of the same run.

    ``rounds`` and ``floor_rounds`` are what it is the median of, in pairs. A point of a
    curve names it, and where ``at`` on it the point is.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    target: Target | None = None
    rounds: tuple[float, ...] = ()
    floor_rounds: tuple[float, ...] = ()
    curve: str = ""
    at: float | None = None

    @property
    def ratios(self) -> list[float]:
        """The figure in floors, of each pair of rounds."""
        if len(self.rounds) != len(self.floor_rounds):
            return []
        pairs = zip(self.rounds, self.floor_rounds, strict=True)
        return [value / floor for value, floor in pairs if floor]

    @property
    def ratio(self) -> float | None:
        """The figure in floors: the median of its pairs, if it was measured in pairs."""
        if self.ratios:
            return median(self.ratios)
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if that can't be said."""
        if self.target is None:
            return None
        return self.target.met(self.ratio if self.target.of_floor else self.value)

    def as_json(self) -> dict[str, Any]:
        """The figure as one object of the JSON list."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "floor": self.floor,
            "ratio": self.ratio,
            "target": str(self.target or ""),
            "met": self.met,
            "rounds": list(self.rounds),
            "floor_rounds": list(self.floor_rounds),
            "curve": self.curve,
            "at": self.at,
        }


def figure_of(written: Mapping[str, Any]) -> Figure:
    """The figure that was written as JSON."""
    return Figure(
        written["name"],
        written["value"],
        written["unit"],
        written["floor"],
        Target.of(written["target"]),
        tuple(written["rounds"]),
        tuple(written["floor_rounds"]),
        written["curve"],
        written["at"],
    )


def paired(
    name: str,
    unit: str,
    rounds: Sequence[float],
    floor_rounds: Sequence[float] = (),
    target: Target | None = None,
) -> Figure:
    """The medians of rounds that were measured in turn."""
    return Figure(
        name,
        median(rounds),
        unit,
        median(floor_rounds) if floor_rounds else None,
        target,
        tuple(rounds),
        tuple(floor_rounds),
    )


def point(
    curve: str,
    unit: str,
    at: float,
    rounds: Sequence[float],
    floor_rounds: Sequence[float] = (),
) -> Figure:
    """A point of a curve named ``of what: measure``."""
    figure = paired(f"{curve}, at {at:,.0f}", unit, rounds, floor_rounds)
    return replace(figure, curve=curve, at=at)


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that ``percent`` of all do not exceed (nearest rank).

    Raises ValueError if there is none.
    """
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def median(values: Sequence[float]) -> float:
    """The middle of what several rounds gave."""
    return statistics.median(values)


def number(value: float | None) -> str:
    """A number with three digits that count, thousands apart."""
    if value is None:
        return "-"
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 1 else f"{value:.3f}"
