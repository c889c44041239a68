"""What is said at one server counts at all: each second they tell each other how much it was.

Nobody waits for that. What a server was told in its last life it hears, too, so that a restart
does not forget who was about to be flagged.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.anomalies.ports import Elsewhere
from antiphon_server.anomalies.watching import AT_ONCE, Detectors, Watching

SHARED_S = 1.0
"""How often."""
MOST_TOLD = 1_000
"""Of so many who speak, and texts, others are told each time: of those with most."""
FORGET_S = 60.0
"""How often what is old is removed, while detectors stand."""
MOST_KEPT = 10_000
"""So many different ones are added up meanwhile; what comes beyond counts here alone."""
_Same: TypeAlias = tuple[str, str, str, str, int, int]


class Sharing:
    """Adds up what is said here, and has seen what is said elsewhere. ``now``: Unix seconds."""

    def __init__(
        self,
        detectors: Detectors,
        watching: Watching,
        elsewhere: Elsewhere,
        now: Callable[[], float],
    ) -> None:
        self._detectors, self._watching = detectors, watching
        self._elsewhere, self._now = elsewhere, now
        self._said: dict[_Same, Signal] = {}
        self._amounts: dict[_Same, float] = {}
        self._is_first, self._was_idle = True, False
        self._forget_at = 0.0

    def note(self, signal: Signal) -> None:
        """Have the others told of something that was said here."""
        same = _same(signal)
        known = self._amounts.get(same)
        if known is None and len(self._amounts) >= MOST_KEPT:
            return
        self._said[same], self._amounts[same] = signal, (known or 0) + signal.amount

    async def exchange(self) -> None:
        """Tell what was said since the last time, and hear what was said elsewhere."""
        if not self._detectors.parents:
            self._said, self._amounts = {}, {}
            self._is_first, self._was_idle = False, True
            return
        await self._hear()
        said, amounts = self._said, self._amounts
        self._said, self._amounts = {}, {}
        most = sorted(amounts, key=lambda it: amounts[it], reverse=True)[:MOST_TOLD]
        if most:
            await self._elsewhere.tell([replace(said[it], amount=amounts[it]) for it in most])
        if self._now() >= self._forget_at:
            await self._elsewhere.forget()
            self._forget_at = self._now() + FORGET_S

    async def _hear(self) -> None:
        """What was told while no detector stood here counts for none that stands now.

        A clock that is ahead must not put anybody's windows into the future.
        """
        now = self._now()
        while heard := await self._elsewhere.heard():
            for at, it in enumerate([] if self._was_idle else heard):
                signal = replace(it, at=min(it.at, now), sign=Sign.SAID, elsewhere=True)
                if self._is_first:
                    await self._watching.learn(signal)
                else:
                    self._watching.note(signal)
                if at % AT_ONCE == 0:
                    await asyncio.sleep(0)
        self._is_first = self._was_idle = False


def _same(it: Signal) -> _Same:
    return it.user, it.session, it.conversation, it.workspace, it.fingerprint, it.size
