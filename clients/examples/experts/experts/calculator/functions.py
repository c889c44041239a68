"""The functions that have names."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce

from experts.calculator.values import MAX_BITS, bits

MAX_FACTORIAL = 1_000
MAX_PLACES = 100
_HALF = Fraction(1, 2)
_Numbers = Sequence[Fraction]


class Unsuitable(Exception):
    """What a function takes, where it was given something else."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function, and how many numbers it takes: ``most`` is 0 if there is no limit."""

    of: Callable[[_Numbers], Fraction | int]
    least: int = 1
    most: int = 1

    def takes(self, number: int) -> bool:
        """Whether it takes so many."""
        return self.least <= number <= (self.most or number)

    @property
    def count(self) -> str:
        """How many it takes, for people."""
        if not self.most:
            return f"{self.least} or more"
        return f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"


def _rounded(given: _Numbers) -> Fraction:
    """Halves go away from zero, as people round."""
    places = _whole(given[1], MAX_PLACES) if len(given) > 1 else 0
    scale = Fraction(10) ** places
    whole = math.floor(abs(given[0]) * scale + _HALF)
    return (-whole if given[0] < 0 else whole) / scale


def _factorial(given: _Numbers) -> int:
    number = _whole(given[0], MAX_FACTORIAL)
    if number < 0:
        raise Unsuitable("takes no negative number")
    return math.factorial(number)


def _mod(given: _Numbers) -> Fraction:
    if given[1] == 0:
        raise Unsuitable("divides by zero")
    return given[0] % given[1]


def _sum(given: _Numbers) -> Fraction:
    return reduce(lambda total, number: _bounded(total + number), given)


def _lcm(given: _Numbers) -> int:
    found = 1
    for number in _wholes(given):
        found = int(_bounded(Fraction(math.lcm(found, number))))
    return found


def _whole(number: Fraction, most: int) -> int:
    if number.denominator != 1 or abs(number) > most:
        raise Unsuitable(f"takes a whole number of at most {most}")
    return int(number)


def _wholes(given: _Numbers) -> list[int]:
    if any(number.denominator != 1 for number in given):
        raise Unsuitable("takes whole numbers")
    return [int(number) for number in given]


def _bounded(number: Fraction) -> Fraction:
    """Between one number and the next: each alone is small enough, all together may not be."""
    if bits(number) > MAX_BITS:
        raise Unsuitable("becomes too large to be exact")
    return number


FUNCTIONS = {
    "abs": Function(lambda given: abs(given[0])),
    "ceil": Function(lambda given: math.ceil(given[0])),
    "factorial": Function(_factorial),
    "floor": Function(lambda given: math.floor(given[0])),
    "gcd": Function(lambda given: math.gcd(*_wholes(given)), most=0),
    "lcm": Function(_lcm, most=0),
    "max": Function(max, most=0),
    "mean": Function(lambda given: _sum(given) / len(given), most=0),
    "min": Function(min, most=0),
    "mod": Function(_mod, least=2, most=2),
    "round": Function(_rounded, most=2),
    "sqrt": Function(lambda given: given[0]),  # a power: it may have to be rounded
    "sum": Function(_sum, most=0),
}
