"""An event loop whose time jumps to the next timer, for rules that know no clock but the loop's."""

import asyncio
import selectors
from typing import Any


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


class JumpingPolicy(asyncio.DefaultEventLoopPolicy):
    """What pytest-asyncio makes a test's loop by."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop whose time jumps."""
        return JumpingLoop()
