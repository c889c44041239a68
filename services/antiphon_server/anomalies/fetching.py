"""What is in the ledger, the audit trail and said by filters is fetched, and seen by detectors.

All servers fetch the same, so what is found doesn't depend on where it happened; each finds it, and
a flag is one row.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

from antiphon_server.anomalies.detecting import Detecting
from antiphon_server.anomalies.model import About, Detector, Sign
from antiphon_server.anomalies.ports import Happens, Spending
from antiphon_server.anomalies.watching import Detectors, Watching

VERDICTS_S = 1.0
SIGN_INS_S = 5.0
SPENDING_S = 10.0
"""How often they are fetched."""
LEARNED_S = 30 * 86_400.0
"""How far back sign-ins are learned from, at first."""


class Fetching:
    """Fetches what some detector wants, and nothing else. ``now`` is in Unix seconds."""

    def __init__(
        self,
        detectors: Detectors,
        watching: Watching,
        spending: Spending,
        sign_ins: Happens,
        verdicts: Happens | None,
        now: Callable[[], float],
    ) -> None:
        self._detectors, self._watching, self._spending = detectors, watching, spending
        self._sign_ins, self._verdicts, self._now = sign_ins, verdicts, now
        self._signed_in = self._screened = ""

    async def verdicts(self) -> None:
        """What filters have said since the last time."""
        if self._verdicts is None or not await self._wanting(Sign.SCREENED):
            self._screened = ""
            return
        begin = self._now() if not self._screened else 0.0
        self._screened, found = await self._verdicts.newer(self._screened, begin)
        for signal in found:
            self._watching.note(signal)

    async def sign_ins(self) -> None:
        """Who has signed in since the last time; at first, what is known from before is learned."""
        detectors = [it for _, it in await self._wanting(Sign.SIGNED_IN)]
        if not detectors:
            self._signed_in = ""
            return
        is_first = not self._signed_in
        begin = self._now() - LEARNED_S if is_first else 0.0
        self._signed_in, found = await self._sign_ins.newer(self._signed_in, begin)
        for signal in found:
            if is_first:
                await self._watching.learn(signal)
            else:
                self._watching.note(signal)

    async def spending(self) -> None:
        """What was spent in the windows that end now."""
        wanting = defaultdict[tuple[str, About, float], list[tuple[Detecting, Detector]]](list)
        for ready, it in await self._wanting(Sign.SPENT):
            wanting[ready.parent, it.about, it.window].append((ready, it))
        for (parent, about, window), detectors in wanting.items():  # who asks alike asks once
            end = self._now()
            for signal in await self._spending.spent(parent, about, end - window, end):
                for ready, it in detectors:
                    self._watching.spent(ready, it, signal)

    async def _wanting(self, sign: Sign) -> Sequence[tuple[Detecting, Detector]]:
        """The detectors that see such signals, and whose they are."""
        parents = sorted(self._detectors.parents)
        ready = await self._detectors.of(*parents) if parents else ()
        return [(it, each) for it in ready for each in it.of(sign)]
