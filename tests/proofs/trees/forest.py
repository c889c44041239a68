"""Trees of turns on two servers of one Postgres, and what befalls them."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1 import event_pb2
from antiphon_client import Client
from tests.e2e.process import COMMAND
from tests.proofs.trees.grower import HANDLER
from tests.proofs.trees.judging import Shape, Tree
from tests.proofs.workers.processes import Came, Crew, Fleet, Manned, fleet

GROWER = (sys.executable, "-m", "tests.proofs.trees.grower")
WORKERS = 3
PATIENCE_S, FALL_S = 120.0, 8.0
USUAL = Shape()


@asynccontextmanager
async def forest(home: Path, server: Sequence[str] = COMMAND) -> AsyncIterator[Fleet]:
    """Two servers, and workers at both."""
    async with fleet(home, WORKERS, Crew(GROWER, HANDLER, server)) as here:
        yield here


async def planted(client: Client, shape: Shape) -> Turn:
    """The root of a tree, in a conversation of its own."""
    conversation = (await client.create_conversation()).conversation_id
    return (await client.dispatch(conversation, shape.message, handler=HANDLER)).turn


class Trees:
    """Trees one pair after the other, one at each server, each pair with its own fault."""

    faults = ("kill_worker", "kill_server", "stop", "kill_both", "kill_and_stop", "nothing")

    def __init__(self, here: Fleet, seed: str, shape: Shape = USUAL) -> None:
        self.fleet, self.seed, self.shape, self.came = here, seed, shape, Came()
        self.chance = Random(seed)

    async def run(self, number: int) -> None:
        """One pair."""
        self.chance = Random(f"{self.seed}/{number}")
        before = len(self.came.wrong)
        await self.run_one(self.faults[number % len(self.faults)])
        if len(self.came.wrong) > before:
            self.came.wrong.append(f"that was pair {number} of seed {self.seed}")

    async def run_one(self, fault: str) -> None:
        """One pair; the fault comes while it grows."""
        self.came.counts[fault] += 2
        roots = []
        for server in self.fleet.servers:
            async with self.fleet.client(server) as client:
                roots.append(await planted(client, self.shape))
        await asyncio.sleep(self.chance.uniform(0.1, 2.5))
        await getattr(self, f"_{fault}")(roots)
        wrong = list[str]()
        async with self.fleet.client(self.fleet.servers[0]) as client:
            for root in roots:
                wrong += await self._judge(client, root)
        wrong += await self._left_over()
        self.came.wrong += [f"{fault}: {it}" for it in wrong]
        await self.fleet.served(len(self.fleet.workers))

    async def _nothing(self, roots: Sequence[Turn]) -> None:
        """Let it grow."""

    async def _kill_worker(self, roots: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.workers)
        await victim.process.kill()
        self.fleet.workers.remove(victim)
        await self.fleet.new_worker(self.chance.choice(self.fleet.servers))

    async def _kill_server(self, roots: Sequence[Turn]) -> None:
        victim = self.chance.choice(self.fleet.servers)
        self.fleet.lead_away(victim)
        await victim.restart()

    async def _kill_both(self, roots: Sequence[Turn]) -> None:
        await asyncio.gather(self._kill_server(roots), self._kill_worker(roots))

    async def _stop(self, roots: Sequence[Turn]) -> None:
        for root in roots:
            async with self.fleet.client(self.chance.choice(self.fleet.servers)) as client:
                await client.cancel_turn(root.conversation_id, root.turn_id)

    async def _kill_and_stop(self, roots: Sequence[Turn]) -> None:
        """The stop comes while the tree is being taken over."""
        victim = self.chance.choice(self.fleet.servers)
        (other,) = [it for it in self.fleet.servers if it is not victim]
        self.fleet.lead_away(victim)
        await asyncio.gather(victim.kill(), self._kill_worker(roots))
        starting = asyncio.ensure_future(victim.start())
        await asyncio.sleep(self.chance.uniform(0.0, 2.0))
        async with self.fleet.client(other) as client:
            for root in roots:
                await client.cancel_turn(root.conversation_id, root.turn_id)
        await starting

    async def _judge(self, client: Client, root: Turn) -> list[str]:
        ended = await _ended(client, root)
        if ended is None:
            return [f"{root.turn_id} does not end"]
        self.came.counts[event_pb2.TurnState.Name(ended.state)] += 1
        turns = await _all_ended(client, root)
        self.came.counts["turns"] += len(turns)
        again = sum(it.attempt > 1 for it in turns)
        self.came.counts["turns with more than one attempt"] += again
        ids = {it.turn_id for it in turns}
        given = [
            line[1:]
            for worker in self.fleet.all
            for line in worker.process.said("given")
            if line[1] in ids
        ]
        tree = Tree(self.shape, ended, turns, await _log(client, root), given)
        return [f"tree {root.turn_id}: {it}" for it in tree.wrong]

    async def _left_over(self) -> list[str]:
        """Handlers that still run, though all trees have ended."""
        until = time.monotonic() + FALL_S
        while left := [it for worker in self.fleet.workers for it in _running(worker)]:
            if time.monotonic() > until:
                return [f"a worker goes on with {it}" for it in left]
            await asyncio.sleep(0.2)
        return []


async def _ended(client: Client, root: Turn) -> Turn | None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        now = await client.get_turn(root.conversation_id, root.turn_id)
        if now.HasField("end_time"):
            return now
        await asyncio.sleep(0.1)
    return None


async def _all_ended(client: Client, root: Turn) -> list[Turn]:
    """The tree's turns, when all have ended or had enough time to."""
    until = time.monotonic() + FALL_S
    while True:
        turns = [it async for it in client.list_turns(root.conversation_id)]
        if all(it.HasField("end_time") for it in turns) or time.monotonic() > until:
            return turns
        await asyncio.sleep(0.1)


async def _log(client: Client, root: Turn) -> list[event_pb2.Event]:
    events, cursor = list[event_pb2.Event](), ""
    while True:
        page = await client.read_events(f"conversations/{root.conversation_id}", cursor)
        events += page.events
        if page.at_head:
            return events
        cursor = page.cursor


def _running(worker: Manned) -> Counter[str]:
    """The turns whose handlers have neither ended nor been stopped at that worker."""
    count = {
        word: Counter(line[1] for line in worker.process.said(word))
        for word in ("begun", "ended", "stopped")
    }
    return count["begun"] - count["ended"] - count["stopped"]


async def trees_of(home: Path, pairs: int, seed: str = "1", first: int = 0) -> Came:
    """So many pairs of trees."""
    async with forest(home) as here:
        trees = Trees(here, seed)
        for number in range(first, first + pairs):
            await trees.run(number)
        return trees.came
