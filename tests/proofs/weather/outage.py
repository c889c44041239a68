"""The first model fails altogether, with turns in flight: how each of them ends, and how often the
model's endpoint was asked.

That is a real one over HTTP. There is a model for each way in which it fails, since each has a
breaker of its own; the second model is well, or has few places, or there is none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.server import ONE_FOR_MANY, ServerProcess, openai_model
from tests.proofs.weather.endpoint import WAYS, StormyEndpoint
from tests.proofs.weather.turns import Asking, Turn, asking

MOST_LOAD = 1.1
LIMIT_S = 15.0
TELLING_S = 5.0
"""So much later than a turn's end is its reader told of it at most, where hundreds end at once."""
SILENT_S = 2.0
SECONDS: Mapping[str, Mapping[str, Any]] = {
    "well": {},
    "small": {"max_calls": 10, "max_waiting": 20, "max_wait_s": 0.5},
}
TYPED = frozenset(
    {
        "MODEL_UNAVAILABLE",
        "MODEL_TIMEOUT",
        "MODEL_PROTOCOL",
        "OVERLOADED",
        "TURN_EXPIRED",
    }
)


@dataclass(slots=True)
class Outage:
    """What came of the turns of one kind; ``asked`` is how often the first model was."""

    way: str
    second: str
    turns: Sequence[Turn]
    asked: int

    @property
    def load(self) -> float:
        """Requests that the endpoint got for each turn."""
        return self.asked / len(self.turns)

    @property
    def ends(self) -> Counter[str]:
        """How many ended how."""
        return Counter(it.model or f"{it.state} {it.reason}" for it in self.turns)

    @property
    def longest_s(self) -> float:
        """The longest turn."""
        return max(it.seconds for it in self.turns)

    @property
    def wrong(self) -> list[str]:
        """What broke a promise."""
        found = [f"{self.name}: {it.turn_id}: {what}" for it in self.turns for what in wrong_of(it)]
        if self.load > MOST_LOAD:
            found.append(f"{self.name}: {self.asked} requests for {len(self.turns)} turns")
        return found

    @property
    def name(self) -> str:
        """It in words."""
        return f"the first {self.way}, the second {self.second}"

    @property
    def line(self) -> str:
        """All of it in a line."""
        return (
            f"{self.name}: {len(self.turns)} turns, {self.asked} requests "
            f"({self.load:.2f} a turn), {dict(self.ends)}, the longest {self.longest_s:.1f} s"
        )


@dataclass(slots=True)
class Outages:
    """All kinds."""

    outages: list[Outage] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """What broke a promise."""
        return [*self.defects, *(what for it in self.outages for what in it.wrong)]

    @property
    def line(self) -> str:
        """All of it."""
        return "\n".join(it.line for it in self.outages)

    def as_json(self) -> dict[str, Any]:
        """All of it for programs."""
        told = [
            {
                "way": it.way,
                "second": it.second,
                "turns": len(it.turns),
                "requests": it.asked,
                "ends": dict(it.ends),
                "longest_s": round(it.longest_s, 2),
            }
            for it in self.outages
        ]
        return {"name": "outages", "outages": told, "violations": self.wrong}


def wrong_of(turn: Turn) -> Sequence[str]:
    """What is wrong with how a turn has ended; nothing if all promises were kept."""
    found = []
    if turn.seconds > LIMIT_S + TELLING_S:
        found.append(f"it took {turn.seconds:.1f} s")
    if turn.state == "SUCCEEDED":
        if not turn.model.startswith("second/"):
            found.append(f"{turn.model} answered")
        if [why in TYPED for _, why in turn.skipped] != [True]:
            found.append(f"{turn.model} has answered, and of others is told {turn.skipped}")
    elif turn.reason not in TYPED:
        found.append(f"{turn.state} {turn.reason}")
    return found


async def outages_of(
    home: Path,
    count: int,
    ways: Sequence[str] = WAYS,
    seconds: Sequence[str] = ("well", "small", ""),
) -> Outages:
    """So many turns at once in each way, with each second model, or none."""
    came = Outages()
    async with StormyEndpoint(gap_s=0.2) as endpoint:
        server = ServerProcess(home, models=_models(endpoint, ways), variables=ONE_FOR_MANY)
        async with server, asking(server) as it:
            for way in ways:
                for second in seconds:
                    came.outages.append(await _outage(endpoint, it, way, second, count))
                    print(came.outages[-1].line, flush=True)
        came.defects = [f"log: {line}" for line in server.defects]
    return came


def _models(endpoint: StormyEndpoint, ways: Sequence[str]) -> list[dict[str, Any]]:
    limits = {"first_byte_timeout_s": SILENT_S, "idle_timeout_s": SILENT_S}
    url = endpoint.base_url
    return [
        *(openai_model(f"second/{name}", url, **more) for name, more in SECONDS.items()),
        *(
            openai_model(f"first-{second}/{way}", url, **limits)
            for way in ways
            for second in (*SECONDS, "")
        ),
    ]


async def _outage(
    endpoint: StormyEndpoint, it: Asking, way: str, second: str, count: int
) -> Outage:
    first = f"first-{second}/{way}"
    before = endpoint.asked[way]
    turns = await it.turns(count, [first, *([f"second/{second}"] if second else [])], LIMIT_S)
    return Outage(way, second or "none", turns, endpoint.asked[way] - before)
