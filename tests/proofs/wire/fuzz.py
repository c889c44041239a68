"""The campaign: inputs by the thousand, a good client beside them, figures."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.contracts import every_rpc
from tests.proofs.wire.bystander import Bystander
from tests.proofs.wire.grammar import Grammar
from tests.proofs.wire.inputs import Input, Maker
from tests.proofs.wire.targets import Target
from tests.proofs.wire.trial import Trials
from tests.proofs.wire.verdict import Verdict
from tests.proofs.wire.world import LOST, World

WORKERS = 16
RENEW_EVERY = 4000
WARM = 2000
"""Inputs after which the server has imported and cached what it ever will."""
SAMPLE_S = 0.5
MOST_PROBLEMS = 50
LEAST_SERVED_PER_S = 1.0
"""Calls of the good client; it makes about ten while a machine is busy."""


@dataclass(slots=True)
class Report:
    """What came of a campaign."""

    where: str
    seed: int
    inputs: int = 0
    messages: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    rpcs: Counter[str] = field(default_factory=Counter)
    callers: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[Input, str]] = field(default_factory=list)
    problem_count: int = 0
    warm_bytes: int = 0
    most_bytes: int = 0
    end_bytes: int = 0
    served: int = 0
    unserved: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    restarts: int = 0

    @property
    def wrong(self) -> list[str]:
        """All that must not be."""
        found = [f"{trial.path} by {trial.who}: {why}" for trial, why in self.problems]
        found += [f"good client: {why}" for why in self.unserved]
        if self.served < LEAST_SERVED_PER_S * self.seconds:
            found.append(f"good client: {self.served} calls served in {self.seconds:.0f} s")
        found += [f"log: {line[:200]} … {line[-400:]}" for line in self.defects]
        return found + (["the server ended"] if self.restarts else [])

    @property
    def line(self) -> str:
        """The figures in a line."""
        grown = (self.most_bytes - self.warm_bytes) / 2**20
        hangs = sum(why == "hang" for _, why in self.problems)
        return (
            f"fuzz {self.where}: seed {self.seed}, {self.inputs} inputs, {self.messages} messages, "
            f"{len(self.rpcs)} RPCs, {self.inputs / max(self.seconds, 0.001):.0f}/s; "
            f"{self.problem_count} problems ({hangs} hangs), {self.restarts} crashes, "
            f"{len(self.defects)} errors logged; good client served {self.served}, "
            f"refused {len(self.unserved)}; memory {grown:+.1f} MB at most"
        )

    def figures(self) -> dict[str, Any]:
        """For a file."""
        return {
            "where": self.where,
            "seed": self.seed,
            "inputs": self.inputs,
            "messages": self.messages,
            "seconds": round(self.seconds, 1),
            "problems": self.problem_count,
            "restarts": self.restarts,
            "errors_logged": len(self.defects),
            "good_served": self.served,
            "good_refused": len(self.unserved),
            "memory_warm_mb": round(self.warm_bytes / 2**20, 1),
            "memory_most_mb": round(self.most_bytes / 2**20, 1),
            "memory_end_mb": round(self.end_bytes / 2**20, 1),
            "outcomes": dict(self.outcomes.most_common()),
            "rpcs": dict(self.rpcs.most_common()),
            "callers": dict(self.callers),
        }


class Campaign:
    """Runs inputs against one target. ``seed`` gives the same requests for the same answers."""

    def __init__(self, target: Target, seed: int, where: str) -> None:
        self._target = target
        self._rng = random.Random(seed)
        self._world = World(target.channels[0], target.operator_key)
        self._rpcs = every_rpc()
        self._signing = asyncio.Lock()
        self.report = Report(where, seed)

    async def run(self, inputs: int) -> Report:
        """Run so many."""
        trials = await self._begun()
        grammars = {who: Grammar(pool, self._rng) for who, pool in self._world.pools.items()}
        maker = Maker(self._rpcs, grammars, self._rng)
        began = time.monotonic()
        async with self.beside(), asyncio.TaskGroup() as group:
            for at in range(WORKERS):
                group.create_task(self._work(maker, trials[at % len(trials)], inputs))
        self.report.seconds = time.monotonic() - began
        return self._over()

    async def replay(self, corpus: Iterable[Input]) -> Report:
        """Run inputs that were kept."""
        trials = (await self._begun())[0]
        known = {rpc.path for rpc in self._rpcs}
        async with self.beside():
            for trial in corpus:
                if trial.path in known:
                    trial = trial.renamed(self._world.names(trial.who))
                    self._note(trial, await trials.run(trial))
        return self._over()

    async def _begun(self) -> list[Trials]:
        """Who runs inputs, one for each channel, in a world that is there."""
        await self._world.begin()
        rpcs = {rpc.path: rpc for rpc in self._rpcs}
        world, local = self._world, self._target.local
        return [
            Trials(channel, rpcs, world.token, world.learn, local=local)
            for channel in self._target.channels
        ]

    def _over(self) -> Report:
        self.report.defects = self._target.defects()
        self.report.restarts = self._target.restarts()
        self.report.end_bytes = 0 if self.report.restarts else self._target.resident_bytes()
        return self.report

    async def _work(self, maker: Maker, trials: Trials, inputs: int) -> None:
        report = self.report
        while report.inputs < inputs and report.problem_count < MOST_PROBLEMS:
            report.inputs += 1
            if report.inputs % RENEW_EVERY == 0:
                await self._world.renew()
            trial = maker.next()
            verdict = await trials.run(trial)
            self._note(trial, verdict)
            if verdict.outcome in LOST and trial.who in self._world.pools:
                await self._sign_in(trial.who)
            if self._target.local:
                await asyncio.sleep(0)  # a local call may end without ever waiting

    async def _sign_in(self, who: str) -> None:
        """Once for all that were refused together."""
        before = self._world.token(who)
        async with self._signing:
            if self._world.token(who) == before:
                await self._world.sign_in(who)

    def _note(self, trial: Input, verdict: Verdict) -> None:
        report = self.report
        report.messages += len(trial.sent)
        report.outcomes[verdict.outcome] += 1
        report.rpcs[trial.path] += 1
        report.callers[trial.who] += 1
        if verdict.problem:
            report.problem_count += 1
            names = {known: name for name, known in self._world.names(trial.who).items()}
            report.problems.append((trial.renamed(names), verdict.problem))

    @asynccontextmanager
    async def beside(self) -> AsyncIterator["asyncio.Task[None]"]:
        """A good client (its task), and a look at the memory, for the block's time."""
        bystander = Bystander(self._target.channels[-1], self._target.operator_key)
        tasks = [asyncio.create_task(bystander.run()), asyncio.create_task(self._weigh())]
        try:
            yield tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            died = [f"it gave up: {it!r}" for it in ended if isinstance(it, Exception)]
            self.report.served = bystander.served
            self.report.unserved = bystander.failures + died

    async def _weigh(self) -> None:
        while not self._target.restarts():
            now = self._target.resident_bytes()
            if not self.report.warm_bytes and self.report.inputs >= WARM:
                self.report.warm_bytes = now
            if self.report.warm_bytes:
                self.report.most_bytes = max(self.report.most_bytes, now)
            await asyncio.sleep(SAMPLE_S)
