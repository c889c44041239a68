"""What the things that people have done here cost, in processor time."""

import time
from typing import Final

# What each thing costs at least, in seconds of processor time: round estimates, not measurements of
# this machine. A meter sees by how much they are too low here and now.
READ_S: Final = 0.001
WRITE_S: Final = 0.003
OPENING_S: Final = 0.001
COMMIT_S: Final = 0.0003
PIECE_S: Final = 0.00005
FRAME_S: Final = 0.00015

METER_S = 0.5
LEAST_METERED = 0.05
MOST_FACTOR = 4.0


class Meter:
    """How much more processor time things take here and now than they are said to.

    Another machine is slower, others use it, too, and what follows a thing is not all foreseen.
    """

    def __init__(self) -> None:
        self._factor = 1.0
        self._said = 0.0
        self._used = time.process_time()
        self._looked = time.monotonic()

    def real(self, cost_s: float) -> float:
        """What something that is said to cost so much will."""
        self._said += cost_s
        passed = time.monotonic() - self._looked
        if passed >= METER_S:
            self._look(passed)
        return cost_s * self._factor

    def _look(self, passed: float) -> None:
        used = time.process_time()
        if self._said > LEAST_METERED * passed:  # else it is what goes on anyway
            found = (used - self._used) / self._said
            self._factor = min(max((self._factor + found) / 2, 1.0), MOST_FACTOR)
        else:
            self._factor = max(self._factor * 0.9, 1.0)
        self._said, self._used, self._looked = 0.0, used, time.monotonic()
