"""Whether a server that somebody waits for still lives, though its connection stands."""

import asyncio
from collections.abc import Callable

from antiphon_client.redial import Redial

PAUSE_S = 0.8
_CUT_S = 2.0


class Pulse:
    """Feels for a stream's server while ``awaited``; each connection has its turn in :meth:`keep`.

    A frozen server, or a network that swallows all, says nothing for as long as TCP allows. So
    after 0.8 s without a frame the server is asked for one by ``ask``; when none has come 0.8 s
    later, ``redial`` tells so, and 2 s later the connection is taken for dead: by then a balancer
    leads elsewhere. A server that has too much to do is not asked again so soon: each time in a
    row is twice as long, ``most`` at the end.
    """

    def __init__(
        self,
        redial: Redial,
        awaited: Callable[[], bool],
        ask: Callable[[], None],
        most: float,
    ) -> None:
        self._redial = redial
        self._awaited = awaited
        self._ask = ask
        self._most = most
        self._cut_after = min(_CUT_S, most)
        self._heard = 0.0
        self._is_silent = False

    def heard(self, *, lives: bool = True) -> None:
        """A frame came. A server that only opens streams does not yet show that it ``lives``."""
        self._heard = _now()
        if lives:
            self._cut_after = min(_CUT_S, self._most)
        if self._is_silent:
            self._is_silent = False
            self._redial.audible()

    async def keep(self) -> None:
        """Return when the connection is to be taken for dead."""
        self._heard, self._is_silent = _now(), False
        while True:
            await asyncio.sleep(PAUSE_S)
            if not self._awaited() or _now() - self._heard < PAUSE_S:
                continue
            before = self._heard
            self._ask()
            await asyncio.sleep(PAUSE_S)
            if self._heard > before:
                continue
            self._is_silent = True
            self._redial.silent()
            await asyncio.sleep(self._cut_after)
            if self._heard == before:
                self._cut_after = min(2 * self._cut_after, self._most)
                return


def _now() -> float:
    """The clock that sleeps are measured by, in seconds."""
    return asyncio.get_running_loop().time()
