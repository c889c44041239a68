"""Expressions as trees; a column is where in the line a mistake would be shown."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    value: Fraction
    column: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that has a name."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Negated:
    """What stands behind a minus."""

    of: "Tree"
    column: int


@dataclass(frozen=True, slots=True)
class Percent:
    """A hundredth; behind a plus or minus, of what stands before that: 200 + 10% is 220."""

    of: "Tree"
    column: int


@dataclass(frozen=True, slots=True)
class Step:
    """What comes behind an operator, which stands at ``column``: "+", "-", "*" or "/"."""

    sign: str
    operand: "Tree"
    column: int


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one rank, from left to right; flat, so that a long sum is no deep tree."""

    first: "Tree"
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """A base to an exponent."""

    base: "Tree"
    exponent: "Tree"
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    name: str
    arguments: tuple["Tree", ...]
    column: int


Tree = Number | Constant | Negated | Percent | Chain | Power | Call
