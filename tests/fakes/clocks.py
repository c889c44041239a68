"""An event loop whose time jumps to the next timer, for rules that know no clock but the loop's."""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

import pytest

P = ParamSpec("P")


class _Jumping(selectors.DefaultSelector):
    """Does not wait for a timer: says that the time has passed. What is ready comes first."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(timeout if timeout is None else 0)
        if not found and timeout is not None and timeout > 0:
            self.passed_s += timeout
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """Waits for no time. Nothing on it may be done by threads: timers would be faster."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """When it is: as long after the loop's beginning as timers have been waited for."""
        return self._jumping.passed_s

    def pass_by(self, seconds: float) -> None:
        """Have so much time gone by at once."""
        self._jumping.passed_s += seconds


def in_no_time(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run a test on such a loop."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def keep_the_loops_time(patch: pytest.MonkeyPatch) -> None:
    """Have ``time.monotonic`` follow the test's loop; as on any machine, it began long ago."""
    loop = asyncio.get_running_loop()
    patch.setattr(time, "monotonic", lambda: 1000.0 + loop.time())


def stand_still(seconds: float) -> None:
    """Nothing is done on the test's loop for so long, as if its process had been stopped."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.pass_by(seconds)
