"""Scenario after scenario, picked by chance, for so many minutes."""

import asyncio
import io
import random
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field

from tests.proofs.robustness.record import room
from tests.proofs.robustness.scenario import Outcome, play
from tests.proofs.robustness.scenarios import SCENARIOS

ROUND_S = (10.0, 30.0)
HEAD = ("scenario", "rounds", "seconds", "faults", "seen", "acknowledged", "turns", "violations")


@dataclass(slots=True)
class Soak:
    """What came of it, by scenario."""

    seed: int
    rounds: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    played: dict[str, int] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Take in a round."""
        self.rounds += 1
        self.played[outcome.name] = self.played.get(outcome.name, 0) + 1
        whole = self.outcomes.setdefault(outcome.name, Outcome(outcome.name, str(self.seed)))
        whole.add(outcome)

    @property
    def wrong(self) -> Sequence[str]:
        """All that broke a promise."""
        return [f"{it.name}: {what}" for it in self.outcomes.values() for what in it.wrong]

    @property
    def table(self) -> str:
        """The closing summary, in Markdown."""
        lines = [HEAD, ("---", *["---:"] * (len(HEAD) - 1)), *(self._row(it) for it in self._all)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    @property
    def verdict(self) -> str:
        """In words whether all promises were kept."""
        rounds = f"{self.rounds} round{'' if self.rounds == 1 else 's'}"
        if not self.wrong:
            return f"All promises kept in {rounds} (seed {self.seed})."
        return f"PROMISES BROKEN: {len(self.wrong)} violations in {rounds} (seed {self.seed})."

    @property
    def _all(self) -> Sequence[Outcome]:
        total = Outcome("all", str(self.seed))
        for outcome in self.outcomes.values():
            total.add(outcome)
        return [*(self.outcomes[name] for name in sorted(self.outcomes)), total]

    def _row(self, it: Outcome) -> tuple[str, ...]:
        acknowledged = it.counts["posts acknowledged"] + it.counts["turns acknowledged"]
        figures = (
            self.played.get(it.name, self.rounds),
            round(it.seconds),
            it.inflicted.total(),
            it.counts["seen"],
            acknowledged,
            it.states.total(),
            len(it.wrong),
        )
        return (it.name, *(f"{figure:,}" for figure in figures))


def soak(minutes: float, seed: int, say: Callable[[str], object] = print) -> Soak:
    """Play rounds until the time is up; a round that has begun is played to its end."""
    chance, came, ends = random.Random(seed), Soak(seed), time.monotonic() + 60 * minutes
    while time.monotonic() < ends:
        name = chance.choice(list(SCENARIOS))
        seconds, own = round(chance.uniform(*ROUND_S)), f"{seed}-{came.rounds + 1}"
        with redirect_stdout(io.StringIO()) as printed, room() as place:
            outcome = asyncio.run(play(SCENARIOS[name], place.home, own, seconds))
            place.keep = bool(outcome.wrong)
        came.add(outcome)
        say(f"{_left(ends - time.monotonic())}  {_briefly(outcome)}")
        for what in outcome.wrong[:20]:
            say(f"  {what}")
        if outcome.wrong:
            say(printed.getvalue())
            again = (
                f"python -m tests.proofs.robustness play '{name}' --seed {own} --seconds {seconds}"
            )
            say(f"  again: {again}")
    return came


def _left(seconds: float) -> str:
    return f"{seconds / 60:5.1f} min left" if seconds > 0 else "    the last one"


def _briefly(it: Outcome) -> str:
    kept = f"{len(it.wrong)} VIOLATIONS" if it.wrong else "all promises kept"
    figures = f"{it.inflicted.total():,} faults, {it.counts['seen']:,} events seen"
    return f"{it.name} (seed {it.seed}, {it.seconds:.0f} s): {figures}, {kept}"
