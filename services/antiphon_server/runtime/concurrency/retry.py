"""Trying again what failed for now: after which pauses, and how long."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)

_GROWS_FOR = 64
"""Pauses after which none is longer: more would overflow a float."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often something is tried.

    The first pause is of ``first_s`` seconds, each further one ``factor`` times as long as the
    one before, up to ``longest_s``; each is multiplied by a random number between the two of
    ``jitter``. No pause begins when it was tried ``tries`` times, or ``within_s`` after the
    beginning.
    """

    first_s: float
    factor: float = 2.0
    longest_s: float = float("inf")
    within_s: float = float("inf")
    tries: float = float("inf")
    jitter: tuple[float, float] = (1.0, 1.0)

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, of which there is one at least."""
        grown = self.first_s * self.factor ** min(failures - 1, _GROWS_FOR)
        return min(grown, self.longest_s) * random.uniform(*self.jitter)

    def is_over(self, failures: int, spent_s: float) -> bool:
        """Whether the last failure stands, so long after the beginning."""
        return failures >= self.tries or spent_s > self.within_s


async def retrying(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    on: type[E] | tuple[type[E], ...],
    worth: Callable[[E], bool] = lambda _: True,
    on_wait: Callable[[E, int], Awaitable[object]] | None = None,
) -> T:
    """Call until it succeeds; returns what the call does, or raises its last failure.

    It is tried again after a failure ``on`` which that is ``worth`` it. ``on_wait`` is told of
    each failure and its number before the pause.
    """
    began, failures = time.monotonic(), 0
    while True:
        try:
            return await call()
        except on as error:
            failures += 1
            if not worth(error) or policy.is_over(failures, time.monotonic() - began):
                raise
            if on_wait is not None:
                await on_wait(error, failures)
        await asyncio.sleep(policy.pause(failures))
