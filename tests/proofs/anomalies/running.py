"""Traffic goes through the real detectors into a real store, as fast as it can."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from antiphon_server.anomalies.adapters.sql_detectors import sql_detectors
from antiphon_server.anomalies.adapters.sql_flags import SqlFlags
from antiphon_server.anomalies.detecting import Detecting, Memories
from antiphon_server.anomalies.fetching import SPENDING_S, Fetching
from antiphon_server.anomalies.model import (
    NAMES,
    About,
    Cost,
    Detector,
    Key,
    NewPlace,
    OddHours,
    Rate,
    Repetition,
    Sign,
    Signal,
    Verdicts,
)
from antiphon_server.anomalies.ports import Wanted
from antiphon_server.anomalies.throttling import Throttles
from antiphon_server.anomalies.watching import Detectors, Watching
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.storage.database import Database
from tests.proofs.anomalies.traffic import BEGIN, ONSET, Traffic

WITHIN_S = 60.0
MOST_OTHERS = 1
KINDS = (Rate(), Repetition(), Verdicts(), Cost(), NewPlace(), OddHours())
DETECTORS = [Detector(NAMES[type(it)].replace("_", "-"), it) for it in KINDS]
"""All kinds, as they are when nobody says anything of them."""


class Everything:
    """Nobody is throttled here."""

    def wait(self, key: Key, per_minute: int, count: int = 1) -> float:
        """See :meth:`Allowance.wait`."""
        return 0.0


@dataclass(slots=True)
class Ledger:
    """What was spent, in a window; see :class:`~antiphon_server.anomalies.ports.Spending`."""

    spent_: deque[Signal] = field(default_factory=deque)

    async def spent(self, parent: str, about: About, begin: float, end: float) -> Sequence[Signal]:
        """See :meth:`Spending.spent`."""
        while self.spent_ and self.spent_[0].at < begin:
            self.spent_.popleft()
        sums: dict[str, float] = defaultdict(float)
        for it in self.spent_:
            sums[it.user] += it.amount
        return [Signal(Sign.SPENT, end, user, amount=amount) for user, amount in sums.items()]


class Nothing:
    """Nothing is fetched: the traffic brings it. See :class:`Happens`."""

    async def newer(self, than: str, since: float) -> tuple[str, Sequence[Signal]]:
        """See :meth:`Happens.newer`."""
        return "0", ()


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a seed: after how many seconds each way was flagged, and who else was."""

    took: dict[str, float]
    missed: list[str]
    others: list[str]

    @property
    def right(self) -> bool:
        """Whether all five were flagged within a minute, and at most one of the others."""
        soon = all(it <= WITHIN_S for it in self.took.values())
        return soon and not self.missed and len(self.others) <= MOST_OTHERS


async def came_of(database: Database, traffic: Traffic, memories: Memories | None = None) -> Came:
    """Have everything seen that a seed's users do."""
    clock = [BEGIN]
    flags = SqlFlags(database, lambda: int(clock[0] * 1e6))
    detectors = Detectors("detectors", sql_detectors(database), Detecting)
    await detectors.set(GLOBAL, DETECTORS, "", None)
    throttles = Throttles(Everything(), lambda: int(clock[0] * 1e6))
    watching = Watching(detectors, flags, throttles, lambda: clock[0])
    if memories is not None:
        watching.memories = memories
    ledger, nothing = Ledger(), Nothing()
    fetching = Fetching(detectors, watching, ledger, nothing, nothing, lambda: clock[0])
    polled = BEGIN
    for signal in traffic.signals:
        clock[0] = max(clock[0], signal.at)
        if signal.sign is Sign.SPENT:
            ledger.spent_.append(signal)
        else:
            watching.note(signal)
            await watching.see_all()
        if clock[0] >= polled + SPENDING_S:
            polled = clock[0]
            await fetching.spending()
        await watching.write()
    return await _judged(flags, traffic)


async def _judged(flags: SqlFlags, traffic: Traffic) -> Came:
    took: dict[str, float] = {}
    others = set()
    for it in await flags.list(Wanted(limit=10_000)):
        way = traffic.wrong.get(it.key.subject)
        if way is None:
            others.add(f"{it.key.detector} {it.key.subject} {dict(it.evidence)}")
        elif it.kind == way:
            took[way] = it.first_us / 1e6 - ONSET
    missed = [it for it in traffic.wrong.values() if it not in took]
    return Came(took, missed, sorted(others))
