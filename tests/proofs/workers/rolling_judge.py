"""Why turns began at a worker that were begun before: by need or without."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.workers.processes import WorkerProcess

BACK_S = 5.0
"""Whoever is back by then goes on with what it has."""


@dataclass(slots=True)
class Life:
    """What a worker has printed; times in Unix seconds. ``told_at`` is when it was told to stop."""

    begun: Sequence[tuple[str, float]]
    stopped: Mapping[str, float]
    away: Sequence[tuple[float, float]]
    told_at: float = float("inf")


@dataclass(slots=True)
class Begun:
    """How often turns began at a worker behind another one, and why."""

    handed_over_s: list[float] = field(default_factory=list)
    """Nobody worked on the turn for so many seconds."""
    away: list[float] = field(default_factory=list)
    """The worker before had no stream for so many seconds, which was too long."""
    needless: list[str] = field(default_factory=list)
    longest_away_s: float = 0.0


def life_of(worker: WorkerProcess, told_at: float) -> Life:
    """Read what it has printed."""
    begun = [(line[1], float(line[-1])) for line in worker.said("begun")]
    away, since = [], 0.0
    for line in worker.said("stream"):
        at = float(line[-1])
        if line[1] == "waiting":
            since = since or at
        elif line[1] == "connected" and since:
            away.append((since, at))
            since = 0.0
    stopped = {line[1]: float(line[-1]) for line in worker.said("stopped")}
    return Life(begun, stopped, away, told_at)


def judged_begins(lives: Sequence[Life]) -> Begun:
    """All that began more than once."""
    came = Begun()
    came.longest_away_s = max((end - since for it in lives for since, end in it.away), default=0.0)
    begins: dict[str, list[tuple[float, Life]]] = {}
    for life in lives:
        for turn_id, at in life.begun:
            begins.setdefault(turn_id, []).append((at, life))
    for turn_id, those in begins.items():
        those.sort(key=lambda it: it[0])
        for (since, before), (at, _) in pairwise(those):
            _judge(came, turn_id, before, since, at)
    return came


def _judge(came: Begun, turn_id: str, before: Life, had_since: float, at: float) -> None:
    if before.told_at <= at:
        came.handed_over_s.append(at - before.stopped.get(turn_id, at))
        return
    between = [(it, end) for it, end in before.away if it < at and end > had_since]
    longest = max((end - since for since, end in between), default=0.0)
    if longest > BACK_S:
        came.away.append(longest)
    else:
        came.needless.append(f"{turn_id} began anew at {at:.3f}, without need")


def went_on(assigned: Mapping[str, int], lives: Sequence[Life]) -> int:
    """How often turns were assigned anew to the worker that had them, and went on there."""
    begun = Counter(turn_id for it in lives for turn_id, _ in it.begun)
    return sum(count - begun[turn_id] for turn_id, count in assigned.items())
