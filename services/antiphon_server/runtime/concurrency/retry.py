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
    """How often a call is tried, and how long the pauses are.

    The first pause lasts ``first_s`` seconds, and each further one is ``factor`` times longer, up
    to ``longest_s``. Each is multiplied by a random number from the range ``jitter``. The call
    fails for good after ``tries`` tries, or when ``within_s`` have passed since the first.
    """

    first_s: float
    factor: float = 2.0
    longest_s: float = float("inf")
    within_s: float = float("inf")
    tries: float = float("inf")
    jitter: tuple[float, float] = (1.0, 1.0)

    def pause(self, failures: int) -> float:
        """Seconds to wait after that many consecutive failures, at least one."""
        grown = self.first_s * self.factor ** min(failures - 1, _GROWS_FOR)
        return min(grown, self.longest_s) * random.uniform(*self.jitter)

    def is_over(self, failures: int, spent_s: float) -> bool:
        """Whether to give up after that many failures and that many seconds."""
        return failures >= self.tries or spent_s > self.within_s


async def retrying(
    call: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    on: type[E] | tuple[type[E], ...],
    worth: Callable[[E], bool] = lambda _: True,
    on_wait: Callable[[E, int], Awaitable[object]] | None = None,
) -> T:
    """Call until it succeeds; return its result, or raise its last failure.

    It is called again after an exception of type ``on`` for which ``worth`` is true. Before each
    pause, ``on_wait`` is called with the failure and its number.
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
