"""What 50 users do in two hours, and what five of them do then; by a seed, in virtual time."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from antiphon_server.anomalies.model import Sign, Signal
from antiphon_server.runtime.encoding.fingerprints import fingerprint

BEGIN = 1_800_000_000.0
HISTORY_S = 7200.0
ONSET = BEGIN + HISTORY_S
END = ONSET + 75.0
USERS = 50
WAYS = ("rate", "repetition", "verdicts", "cost", "new_place")
WORKSPACE = "ws_00000001"
_WORDS = [
    *("invoice", "train", "hotel", "law", "garden", "music"),
    *("pension", "river", "bread", "window", "spring", "answer"),
]
Fingerprint = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Habits:
    """How somebody is: messages a minute, how often in bursts, tokens a message, places."""

    user: str
    per_minute: float
    bursts: float
    tokens: int
    home: int
    places: int
    swears: float

    @classmethod
    def of(cls, number: int, chance: random.Random) -> "Habits":
        """Anybody's."""
        return cls(
            f"users/user_{number:08d}",
            chance.lognormvariate(-0.5, 0.8),
            chance.choice((0.0, 0.05, 0.15)),
            int(chance.lognormvariate(6.5, 0.7)),
            number,
            chance.choice((1, 1, 2)),
            chance.choice((0.0, 0.0, 0.005)),
        )


class Traffic:
    """All signals of a seed, in order; ``digest`` makes fingerprints."""

    def __init__(self, seed: int, digest: Fingerprint = fingerprint) -> None:
        self._chance, self._digest = random.Random(seed), digest
        self._people = [Habits.of(it, self._chance) for it in range(USERS)]
        self.wrong = {
            it.user: way
            for it, way in zip(self._chance.sample(self._people, len(WAYS)), WAYS, strict=True)
        }
        found = [it for one in self._people for it in self._of(one)]
        self.signals = sorted(found, key=lambda it: it.at)

    def _of(self, one: Habits) -> Iterator[Signal]:
        yield from self._ordinary(one)
        if way := self.wrong.get(one.user):
            yield from getattr(self, f"_{way}")(one)

    def _ordinary(self, one: Habits) -> Iterator[Signal]:
        for place in range(one.places):  # the second one some minutes before all else: a phone
            yield self._signed_in(one, BEGIN - 9000 * (place + 1), place)
        at = BEGIN
        while (at := at + self._chance.expovariate(one.per_minute / 60)) < END:
            yield from self._said(one, at, self._text())
            if self._chance.random() < one.bursts:
                for _ in range(self._chance.randint(2, 6)):
                    at += self._chance.uniform(1, 5)
                    yield from self._said(one, at, self._chance.choice(("yes", self._text())))
            if self._chance.random() < one.swears:
                yield self._screened(one, at)
            if self._chance.random() < 0.01:
                yield self._signed_in(one, at, self._chance.randrange(one.places))

    def _rate(self, one: Habits) -> Iterator[Signal]:
        for number in range(150):
            yield from self._said(one, ONSET + number * 0.5, self._text(), tokens=1)

    def _repetition(self, one: Habits) -> Iterator[Signal]:
        for number in range(20):
            text = f"Buy {number} cheap watches NOW at {number * 7} % less!!"
            yield from self._said(one, ONSET + number * 3.5, text, tokens=1)

    def _verdicts(self, one: Habits) -> Iterator[Signal]:
        for number in range(8):
            yield self._screened(one, ONSET + number * 8.0)

    def _cost(self, one: Habits) -> Iterator[Signal]:
        for number in range(6):
            yield from self._said(one, ONSET + number * 5.0, self._text(), tokens=250_000)

    def _new_place(self, one: Habits) -> Iterator[Signal]:
        yield self._signed_in(one, ONSET - 600, 0)
        yield self._signed_in(one, ONSET, 200)

    def _text(self) -> str:
        return " ".join(self._chance.choices(_WORDS, k=self._chance.randint(4, 12)))

    def _said(self, one: Habits, at: float, text: str, tokens: int = 0) -> Iterator[Signal]:
        digest, size = self._digest([text]), len(text)
        where = f"sess_{one.home}", f"conv_{one.home:08d}", WORKSPACE
        yield Signal(Sign.SAID, at, one.user, *where, digest, size)
        amount = tokens or one.tokens
        yield Signal(Sign.SPENT, at, one.user, workspace=WORKSPACE, amount=amount)

    def _screened(self, one: Habits, at: float) -> Signal:
        return Signal(Sign.SCREENED, at, one.user, workspace=WORKSPACE, amount=1)

    def _signed_in(self, one: Habits, at: float, place: int) -> Signal:
        network = f"10.{one.home}.{place}.0/24"
        return Signal(Sign.SIGNED_IN, at, one.user, place=network)
