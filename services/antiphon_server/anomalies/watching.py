"""What happens is seen by detectors, beside whoever does it, and what they find becomes flags."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeAlias

from antiphon_server.anomalies.detecting import Detecting, Memories
from antiphon_server.anomalies.model import (
    Detector,
    Effect,
    Flag,
    Found,
    Key,
    Raised,
    Signal,
    Throttle,
)
from antiphon_server.anomalies.ports import FlagStore
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.runtime.concurrency.tasks import every
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.revisions.standing import Standing

Detectors: TypeAlias = Standing[Detector, Detecting]
MOST_WAITING = 10_000
"""So many signals wait; what comes beyond is counted, and seen by no detector."""
MOST_RAISED = 1_000
"""So many flags wait to be written."""
EACH_S = 0.1
"""How often what was found is written: a flag stands that soon."""
FAILED_S = 1.0
"""How long that waits after it has failed."""
AT_ONCE = 200
"""Signals, each some 25 us, that are seen before others go on."""
AGAIN_S = 2.0
"""How soon an open flag is written again, with what was added to it meanwhile."""
LOOK_S = 0.25
"""How often a server looks for what others have flagged and cleared: that holds within 1 s."""
COUNTED_S = 5.0
"""How often open flags are counted, for who watches servers."""
CHANGED_US = 10_000_000
"""How long back it looks for what was changed: clocks of servers differ."""
log = logging.getLogger(__name__)


class Watching:
    """Takes signals without a wait, and has them seen. ``now`` is in Unix seconds."""

    def __init__(
        self, detectors: Detectors, flags: FlagStore, throttles: Throttles, now: Callable[[], float]
    ) -> None:
        self._detectors, self._flags, self._throttles = detectors, flags, throttles
        self._now = now
        self.memories = Memories()
        self._waiting: deque[Signal] = deque()
        self._came = asyncio.Event()
        self._raised: dict[Key, Raised] = {}
        self._written: dict[Key, float] = {}
        self._biting: dict[Key, Throttle] = {}
        self._changed: Mapping[str, int] = {}
        self._looked_us = 0
        self.seen = self.lost = 0
        """Signals that detectors saw, and those, or what was found in them, that had no place."""
        self.open: Mapping[Effect, int] = {}
        """How many flags are open, as far as is known."""

    def note(self, signal: Signal) -> None:
        """Have a signal seen soon."""
        if len(self._waiting) >= MOST_WAITING:
            self.lost += 1
            return
        self._waiting.append(signal)
        self._came.set()

    async def learn(self, signal: Signal) -> None:
        """Have one seen that was long ago: nobody is flagged for it."""
        for ready in await self._detectors.of(*_parents(signal)):
            for _ in ready.see(self.memories, signal):
                pass

    def spent(self, ready: Detecting, detector: Detector, signal: Signal) -> None:
        """Have one detector see what was spent in its window."""
        for key, it, found in ready.see(self.memories, signal, only=detector):
            self._raise(key, it, signal, found)
        self._came.set()

    async def see_all(self) -> None:
        """See what waits."""
        while self._waiting:
            await self._see(self._waiting.popleft())
            if self.seen % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._came.clear()

    async def write(self) -> None:
        """Write what was found: new flags at once, what is added to open ones after a while."""
        now = self._now()
        due = [it for it in self._raised.values() if now >= self._written.get(it.key, 0) + AGAIN_S]
        if not due:
            return
        await self._flags.raise_all(due)  # if that fails they are due again
        for it in due:
            del self._raised[it.key]
        recent = {key: at for key, at in self._written.items() if now < at + AGAIN_S}
        self._written = {**recent, **{it.key: now for it in due}}
        if any(it.detector.effect is Effect.THROTTLE for it in due):
            await self.look()

    async def look(self) -> None:
        """Know what bites now, and forget what was counted of whose flags were cleared."""
        now_us = int(self._now() * 1e6)
        if now_us > self._looked_us + CHANGED_US // 2:
            self._biting = {it.key: it for it in await self._flags.throttles()}
        changed = await self._flags.changed_since(now_us - CHANGED_US)
        news = [it for it, at_us in changed.items() if self._changed.get(it) != at_us]
        for flag in sorted(await self._flags.these(news), key=lambda it: it.changed_us):
            self._heard(flag)
        self._biting = {key: it for key, it in self._biting.items() if it.end_us > now_us}
        self._throttles.set(self._biting.values())
        self._changed, self._looked_us = changed, now_us

    def _heard(self, flag: Flag) -> None:
        """One was changed, here or elsewhere."""
        if flag.cleared_us:
            self.forget(flag.key)
        if flag.effect is Effect.THROTTLE and not flag.cleared_us:
            throttle = Throttle(flag.key, flag.effect_end_us, flag.throttle_per_minute)
            self._biting[flag.key] = throttle
        else:
            self._biting.pop(flag.key, None)

    async def count_open(self) -> None:
        """Know how many flags are open."""
        if self._detectors.parents or self.open:
            self.open = await self._flags.open_by_effect()

    def forget(self, key: Key) -> None:
        """A flag was cleared: begin anew."""
        self.memories.forget(key, self._now())
        self._raised.pop(key, None)
        self._written.pop(key, None)

    async def run(self) -> None:
        """See what comes, until cancelled."""
        await every(EACH_S, self._see_and_write)

    async def _see_and_write(self) -> None:
        if not self._raised:
            await self._came.wait()
        try:
            await self.see_all()
            await self.write()
        except Exception:
            await asyncio.sleep(FAILED_S)  # what is broken is not asked ten times a second
            raise

    async def run_looking(self) -> None:
        """Know what other servers have flagged and cleared, until cancelled."""
        await every(LOOK_S, self._look_if_needed)

    async def _look_if_needed(self) -> None:
        if self._detectors.parents or self._throttles or not self._looked_us:
            await self.look()

    async def _see(self, signal: Signal) -> None:
        self.seen += 1
        for ready in await self._detectors.of(*_parents(signal)):
            for key, detector, found in ready.see(self.memories, signal):
                self._raise(key, detector, signal, found)

    def _raise(self, key: Key, detector: Detector, signal: Signal, found: Found) -> None:
        at_us, count = int(signal.at * 1e6), 0 if signal.elsewhere else 1
        raised = self._raised.get(key)
        if raised is None:
            if len(self._raised) >= MOST_RAISED:
                self.lost += 1
                return
            self._raised[key] = Raised(key, detector, signal, found, count, at_us, at_us)
            return
        raised.count += count
        raised.detector = detector
        raised.last_us = max(raised.last_us, at_us)
        if found.score >= raised.found.score:
            raised.found = found


def _parents(signal: Signal) -> tuple[str, ...]:
    """Whose detectors see it."""
    return (GLOBAL, signal.workspace) if signal.workspace else (GLOBAL,)
