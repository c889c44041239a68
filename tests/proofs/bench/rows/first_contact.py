"""What one pays who comes for a turn and goes: a new conversation, a new stream, 20 deltas."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proofs.bench.antiphon import antiphon, operator_token
from tests.proofs.bench.bench import Bench
from tests.proofs.bench.figures import Figure, at_least, at_most, paired
from tests.proofs.bench.loads.client import Target, Window
from tests.proofs.bench.loads.first_contact import Clients, Met
from tests.proofs.bench.rows.peers import a2a_sdk
from tests.proofs.bench.rows.sides import in_ms
from tests.proofs.bench.servers import Floor, Measured, MeasuredServer

CLIENTS = (10, 50)
DELTAS = 20
GAP_MS = 5
ROUND_S = 4.0  # on a busy machine a turn of fifty takes one of them
FIRST_TURNS, TURNS = 3, 2_000
MB = 1_000_000
MEASURES = (
    ("turns, 10 clients", "turns/s", at_least(1)),
    ("turns, 50 clients", "turns/s", at_least(1)),
    ("CPU per turn, 10 clients", "ms", at_most(8, of_floor=False)),
    ("CPU per turn, 50 clients", "ms", at_most(8, of_floor=False)),
    ("added time to first token, p50", "ms", at_most(20, of_floor=False)),
    ("added time to first token, p99", "ms", at_most(80, of_floor=False)),
    ("start to first good turn", "s", at_most(1.3, of_floor=False)),
    ("resident after the first turns", "MB", None),
    ("resident after 2,000 turns", "MB", at_most(110, of_floor=False)),
)


@dataclass(slots=True)
class _Side:
    """One that answers: how it is begun and asked, and what the rounds of each measure gave."""

    begin: Callable[[Path, str], Measured]
    call: dict[str, str] = field(default_factory=dict)
    found: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


async def first_contact(bench: Bench) -> list[Figure]:
    """Beside the relay, and beside a peer that keeps its tasks in memory, if it can be had."""
    relay = _Side(lambda home, model: Floor(home, f"relay={model}"))
    ours, sides = _Side(antiphon), [relay]
    peer = await a2a_sdk()
    if peer is not None:
        sides.append(_Side(peer.serving, {"path": peer.path, "request": peer.request}))
    sides.append(ours)
    await _rates(bench, sides)
    await _waits(bench, sides)
    await _starts(bench, sides)
    beside = f"beside {peer.name}" if peer else "beside a2a-sdk, which is missing here"
    others = sides[1].found if peer else {}
    return [
        *(
            paired(f"first contact: {name}", unit, ours.found[name], relay.found[name])
            for name, unit, _ in MEASURES
        ),
        *(
            paired(f"{name}, {beside}", unit, ours.found[name], others.get(name, ()), target)
            for name, unit, target in MEASURES
        ),
    ]


async def _rates(bench: Bench, sides: Sequence[_Side]) -> None:
    """Turns a second without a gap, and what is resident before and after many."""
    async with _serving(bench, sides, gap_ms=0) as served:
        for it in served:
            it.weigh("the first turns")
        for clients in CLIENTS:
            await bench.in_turn(*(it.rate_of(clients) for it in served))
        for it in served:
            while it.turns < TURNS:
                await it.load(CLIENTS[-1])
            it.weigh("2,000 turns")


async def _waits(bench: Bench, sides: Sequence[_Side]) -> None:
    """First tokens, where the model's come one by one."""
    async with _serving(bench, sides, GAP_MS) as served:
        await bench.in_turn(*(it.waits for it in served))


async def _starts(bench: Bench, sides: Sequence[_Side]) -> None:
    """From starting the process, on data that is there, to the end of one client's turn."""
    async with bench.model(DELTAS, 0) as model:
        homes = [bench.fresh() for _ in sides]
        begins = [_begun(side, home, model.line) for side, home in zip(sides, homes, strict=True)]
        for begin in begins:
            await begin()
        for side in sides:
            side.found["start to first good turn"].clear()
        await bench.in_turn(*begins)


def _begun(side: _Side, home: Path, model_url: str) -> Any:
    async def begin() -> None:
        begun = time.perf_counter()
        async with side.begin(home, model_url) as server:
            await _one_turn(side, await _target(server))
            side.found["start to first good turn"].append(time.perf_counter() - begun)

    return begin


async def _one_turn(side: _Side, target: dict[str, Any]) -> None:
    to = Target(**target)
    async with Clients(to, Met(Window(to, 0), DELTAS), **side.call) as clients:
        await (await clients.one())()


async def _target(server: Measured) -> dict[str, Any]:
    token = {"token": await operator_token(server)} if isinstance(server, MeasuredServer) else {}
    return server.target | token


@dataclass(slots=True)
class _Served:
    """A side that serves; ``turns`` says how many it has answered."""

    bench: Bench
    side: _Side
    server: Measured
    target: dict[str, Any]
    turns: int = 0

    async def load(self, clients: int) -> dict[str, Any]:
        """Clients that come and go, for as long as a round is."""
        job = {
            "target": self.target,
            "clients": clients,
            "seconds": max(self.bench.seconds, ROUND_S),
        }
        found = await self.bench.load("first_contact", **job, deltas=DELTAS, **self.side.call)
        self.turns += found["all_turns"]
        return found

    def rate_of(self, clients: int) -> Any:
        """A round with so many clients."""

        async def rate() -> None:
            found = await self.load(clients)
            self.side.found[f"turns, {clients} clients"].append(found["turns_per_s"])
            self.side.found[f"CPU per turn, {clients} clients"].append(found["cpu_ms_per_turn"])

        return rate

    async def waits(self) -> None:
        """A round of first tokens, each from its client's coming on."""
        found = await self.load(CLIENTS[0])
        for percent in (50, 99):
            name = f"added time to first token, p{percent}"
            self.side.found[name] += in_ms([found], "first_s", percent)

    def weigh(self, when: str) -> None:
        """What is resident now."""
        self.side.found[f"resident after {when}"].append(self.server.resident_bytes / MB)


@asynccontextmanager
async def _serving(
    bench: Bench, sides: Sequence[_Side], gap_ms: float
) -> AsyncIterator[Sequence[_Served]]:
    """All of them, before one model, after some first turns."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(bench.model(DELTAS, gap_ms))
        served = []
        for side in sides:
            server = await stack.enter_async_context(side.begin(bench.fresh(), model.line))
            served.append(_Served(bench, side, server, await _target(server)))
            for _ in range(FIRST_TURNS):
                await _one_turn(side, served[-1].target)
        yield served
