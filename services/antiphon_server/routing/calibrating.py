"""How sure evidence makes: learned from the experts' own examples, each looked at as if new.

Nobody is asked for a number, so the scores of two experts with ten examples and of sixty with a
thousand mean the same: of those with 0.7, seven of ten are right.
"""

import math
from collections.abc import Sequence

_SLOPES = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
_STRANGE = 0.1
"""What it counts that an example is for none of the others, beside that it is for its own."""
_LEAST = 0.01
_HIGHEST = 60.0
"""Exponents: above it odds are the same."""


class Calibration:
    """Makes scores of evidence; learned of looks, each an expert and what was found for all."""

    def __init__(self, looks: Sequence[tuple[int, Sequence[float]]]) -> None:
        tops = [max(evidence) for _, evidence in looks]
        self._unit = sum(tops) / max(1, len(tops)) or 1.0
        self._slope = _SLOPES[0]
        if any(len(evidence) > 1 for _, evidence in looks):  # one alone tells nothing
            self._slope = max(_SLOPES, key=lambda slope: self._likelihood(looks, slope))

    def scores(self, evidence: Sequence[float]) -> Sequence[float]:
        """How likely it is each expert's, from 0 to 1; the rest is that it is nobody's."""
        odds = self._odds(evidence, self._slope)
        whole = 1 + sum(odds)
        return [it / whole for it in odds]

    def _odds(self, evidence: Sequence[float], slope: float) -> Sequence[float]:
        """Against nobody; 0 where there is no evidence."""
        return [math.expm1(min(_HIGHEST, slope * it / self._unit)) for it in evidence]

    def _likelihood(self, looks: Sequence[tuple[int, Sequence[float]]], slope: float) -> float:
        found = 0.0
        for expert, evidence in looks:
            odds = self._odds(evidence, slope)
            whole = 1 + sum(odds)
            others = max(1.0, whole - odds[expert])
            found += math.log(max(_LEAST, odds[expert] / whole))
            found += _STRANGE * math.log(max(_LEAST, 1 / others))
        return found
