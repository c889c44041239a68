"""Workers and servers as real processes on one Postgres: killed, halted, cut off, restarted."""

import asyncio
import base64
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2
from antiphon_client import ApiKey, Client
from antiphon_client.errors import Unavailable
from tests.e2e.process import COMMAND, all_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres
from tests.fakes.proxy import Proxy
from tests.workers.counting import counted, numbers
from tests.workers.processes import COUNTER, WorkerProcess, invited

PATIENCE_S = 120.0
WITHIN_S = 10.0


@dataclass(frozen=True)
class Crew:
    """What workers run, and which handler that serves; ``server`` is what servers run."""

    program: Sequence[str] = COUNTER
    handler: str = "counter"
    server: Sequence[str] = COMMAND


COUNTERS = Crew()


@dataclass
class Came:
    """What came of it; ``next_s`` is how long ``what`` took, each time."""

    what: str = "death to next attempt"
    wrong: list[str] = field(default_factory=list)
    next_s: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """In a line."""
        counts = (f"{count:,} {what}" for what, count in sorted(self.counts.items()))
        said = "; ".join((", ".join(counts), *self.said))
        if not self.next_s:
            return said
        known = sorted(self.next_s)
        p50, p99 = known[len(known) // 2], known[int(len(known) * 0.99)]
        return f"{said}; {self.what}: p50 {p50:.3f} s, p99 {p99:.3f} s ({len(known)})"


class Manned:
    """A worker with a proxy in front of its servers.

    All are of one version: each of its own would have all new turns as long as it is the newest.
    """

    def __init__(self, name: str, proxy: Proxy, key: str, home: Path, crew: Crew) -> None:
        self.name, self.proxy = name, proxy
        self.process = WorkerProcess(proxy.address, key, home / f"{name}.log", crew.program)
        self.process.shown = False


class Fleet:
    """Two servers, workers, and turns of theirs."""

    def __init__(
        self, servers: Sequence[ServerProcess], key: ApiKey, home: Path, crew: Crew
    ) -> None:
        self.servers, self.key, self.home, self.crew = list(servers), key, home, crew
        self.workers: list[Manned] = []
        self.all: list[Manned] = []
        self.many: dict[str, int] = {}
        self.stack = AsyncExitStack()
        self._work_key = ""

    async def begin(self, workers: int) -> None:
        """Let workers dial in, by turns at either server."""
        self._work_key = await invited(self.servers[0], self.crew.handler)
        for number in range(workers):
            await self.new_worker(self.servers[number % 2])

    async def new_worker(self, server: ServerProcess) -> Manned:
        """One more."""
        proxy = await self.stack.enter_async_context(Proxy(server.port))
        one = Manned(f"w{len(self.all)}", proxy, self._work_key, self.home, self.crew)
        await self.stack.enter_async_context(one.process)
        self.workers.append(one)
        self.all.append(one)
        return one

    def client(self, server: ServerProcess) -> Client:
        """A client at that server."""
        return server.client(self.key)

    def lead_away(self, server: ServerProcess) -> None:
        """New connections of workers go to the other one."""
        (other,) = [it for it in self.servers if it is not server]
        for worker in self.all:
            if worker.proxy.target[1] == server.port:
                worker.proxy.retarget(other.port)

    async def served(self, least: int) -> None:
        """Wait until so many workers are there, as every server says.

        One that stood still finds its connections to the store gone when it goes on, once.
        """

        async def are_there(server: ServerProcess) -> bool:
            try:
                async with self.client(server) as client:
                    there = {it.worker_id async for it in client.list_workers("global")}
            except Unavailable:
                return False
            return len(there) >= least

        for server in self.servers:
            await until_it(partial(are_there, server))

    async def begun(self, client: Client, message: str) -> Turn:
        """A turn in a conversation of its own."""
        conversation = await client.create_conversation()
        told = await client.dispatch(conversation.conversation_id, message, handler="counter")
        self.many[told.turn.turn_id] = int(message.split()[0])
        return told.turn

    def lines(self, word: str) -> Counter[str]:
        """How often workers said that of each turn."""
        return Counter(line[1] for it in self.all for line in it.process.said(word))


@asynccontextmanager
async def fleet(home: Path, workers: int, crew: Crew = COUNTERS) -> AsyncIterator[Fleet]:
    """All of it, on a Postgres of its own."""
    postgres = Postgres()
    await asyncio.to_thread(postgres.start)
    try:
        variables = {
            "ANTIPHON_DATABASE_URL": await postgres.database(),
            "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
            "ANTIPHON_RATE_LIMITS": '{"enabled": false}',
            **ONE_FOR_MANY,
        }
        servers = [
            ServerProcess(home / it, variables=variables, command=crew.server) for it in "ab"
        ]
        for server in servers:
            server.shown = False
        async with all_of(servers):
            here = Fleet(servers, servers[0].key, home, crew)
            async with here.stack:
                await here.begin(workers)
                await here.served(workers)
                yield here
    finally:
        await asyncio.to_thread(postgres.remove)


async def judged(
    client: Client, many: Mapping[str, int], turns: Sequence[Turn], came: Came
) -> None:
    """Wait for the ends, and look at each, which was to count so far."""
    for turn in turns:
        await _judge(client, turn, many[turn.turn_id], came)


async def _judge(client: Client, turn: Turn, many: int, came: Came) -> None:
    until = time.monotonic() + PATIENCE_S
    while not (now := await client.get_turn(turn.conversation_id, turn.turn_id)).HasField(
        "end_time"
    ):
        if time.monotonic() > until:
            came.wrong.append(f"{turn.turn_id} does not end")
            return
        await asyncio.sleep(0.1)
    came.counts[event_pb2.TurnState.Name(now.state)] += 1
    said = await numbers(client, turn.conversation_id)
    if now.state != event_pb2.TURN_STATE_SUCCEEDED or said != counted(many):
        came.wrong.append(f"{turn.turn_id} is {now.state}: {' '.join(said)}")
    events = await _events(client, turn)
    ends = sum(it.HasField("turn_finished") for it in events)
    attempts = [it.attempt for it in events if it.attempt]
    if ends != 1 or attempts != sorted(attempts):
        came.wrong.append(f"{turn.turn_id} has {ends} ends, attempts {attempts}")


async def _events(client: Client, turn: Turn) -> list[event_pb2.Event]:
    scope = f"conversations/{turn.conversation_id}"
    page = await client.read_events(scope)
    return [it for it in page.events if it.turn_id == turn.turn_id]


class Runs:
    """Faults one after the other, each with turns under way."""

    faults = ("kill_worker", "halt_worker", "part_worker", "drop", "kill_server", "halt_server")

    def __init__(self, fleet: Fleet, seed: str) -> None:
        self.fleet, self.chance, self.came = fleet, Random(seed), Came()

    async def run(self, number: int) -> None:
        """One."""
        fault = self.faults[number % len(self.faults)]
        self.came.counts[fault] += 1
        many = self.chance.randint(60, 120)
        turns = []
        for server in self.fleet.servers * 3:
            async with self.fleet.client(server) as client:
                turns.append(await self.fleet.begun(client, f"{many} 50"))
        await asyncio.sleep(self.chance.uniform(0.2, 2.0))
        await getattr(self, f"_{fault}")(turns)
        before = len(self.came.wrong)
        async with self.fleet.client(self.fleet.servers[0]) as client:
            await judged(client, self.fleet.many, turns, self.came)
        said = self.fleet.lines("begun")
        again = [it.turn_id for it in turns if said[it.turn_id] != 1]
        if fault in ("drop", "kill_server") and again:
            self.came.wrong.append(f"{again} began anew")
        if len(self.came.wrong) > before:
            self.came.wrong.append(f"that was {fault} of run {number}")
        await self.fleet.served(len(self.fleet.workers))

    async def _kill_worker(self, turns: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.workers)
        begun = {line[1] for line in victim.process.said("begun")}
        had = [it for it in turns if it.turn_id in begun]
        died = time.time()
        await victim.process.kill()
        self.fleet.workers.remove(victim)
        async with self.fleet.client(self.fleet.servers[0]) as client:
            for turn in had:
                await self._next(client, turn, died)
        await self.fleet.new_worker(self.chance.choice(self.fleet.servers))

    async def _next(self, client: Client, turn: Turn, died: float) -> None:
        until = time.time() + 3 * WITHIN_S
        while time.time() < until:
            for it in await _events(client, turn):
                at = it.time.ToMicroseconds() / 1e6
                if it.HasField("turn_assigned") and at > died:
                    self.came.next_s.append(at - died)
                    if at - died > WITHIN_S:
                        self.came.wrong.append(f"{turn.turn_id} went on after {at - died:.1f} s")
                    return
            await asyncio.sleep(0.1)
        self.came.wrong.append(f"{turn.turn_id} does not go on")

    async def _halt_worker(self, turns: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.workers)
        victim.process.signal(signal.SIGSTOP)
        await asyncio.sleep(self.chance.choice([10.0, 12.0]))
        victim.process.signal(signal.SIGCONT)

    async def _part_worker(self, turns: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.workers)
        victim.proxy.stall()
        await asyncio.sleep(self.chance.choice([6.0, 12.0]))
        victim.proxy.flow()

    async def _drop(self, turns: Sequence[Turn]) -> None:
        for victim in self.chance.sample(self.fleet.workers, 2):
            victim.proxy.retarget(self.chance.choice(self.fleet.servers).port)
            victim.proxy.cut()

    async def _kill_server(self, turns: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.servers)
        self.fleet.lead_away(victim)
        await victim.restart()

    async def _halt_server(self, turns: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.servers)
        victim.signal(signal.SIGSTOP)
        await asyncio.sleep(self.chance.choice([3.0, 18.0]))
        victim.signal(signal.SIGCONT)
        await self.fleet.served(0)


async def processes_of(home: Path, runs: int, seed: str = "1") -> Came:
    """So many faults."""
    async with fleet(home, 4) as here:
        all_runs = Runs(here, seed)
        for number in range(runs):
            await all_runs.run(number)
        return all_runs.came
