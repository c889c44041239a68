"""The long rows: so many kills, so many cuts, judged batch by batch on one server."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from tests.e2e.until import until
from tests.fakes.proxy import Proxy
from tests.proofs.robustness.faults import CUTTING, harm, inflict
from tests.proofs.robustness.scenario import CROWD, Doing, Outcome, Scenario, act, close, keep
from tests.proofs.robustness.stage import Stage, stage

Say = Callable[[str], object]
READING = {"follower": 8, "comer": 4, "subscriber": 4, "updater": 4}
# 8 who write and 20 who follow.
KILLS = Scenario(
    "kills",
    ("kill",),
    {"talker": 3, "twin": 2, "writer": 3} | READING,
)
CUTS = Scenario("cuts", CUTTING, CROWD)
KILLS_A_BATCH, CUTS_A_BATCH = 10, 500
PAUSE_S = (0.0, 0.25)


async def kills(home: Path, most: int, seed: str, say: Say = print) -> Outcome:
    """The server is killed that often under 8 writers and 20 followers."""
    return await _batches(home, KILLS, "kill", most, KILLS_A_BATCH, seed, say, _kill)


async def cuts(home: Path, most: int, seed: str, say: Say = print) -> Outcome:
    """Clients' connections are cut that often, in every way there is."""
    return await _batches(home, CUTS, "cut", most, CUTS_A_BATCH, seed, say, _cut_all)


async def _batches(
    home: Path,
    scenario: Scenario,
    fault: str,
    most: int,
    batch: int,
    seed: str,
    say: Say,
    doing: Callable[[Stage, int], "Doing"],
) -> Outcome:
    whole, done = Outcome(scenario.name, seed), 0
    async with stage(home, seed) as here:
        while done < most:
            here.seed = f"{seed}-{done}"
            came = await act(here, scenario, doing(here, min(batch, most - done)))
            keep(here, came)
            done += came.inflicted[fault]
            whole.add(came)
            say(f"{done:,} of {most:,}  {came.line}")
            for what in came.wrong[:20]:
                say(f"  {what}")
        await close(here, whole)
    return whole


def _kill(here: Stage, count: int) -> Doing:
    async def kill(here: Stage) -> None:
        chance = here.chance("kills")
        while here.inflicted["kill"] < count:
            await inflict(here, "kill", chance)
        # A slow machine ends no turn between two kills; the last life has the time.
        await until(lambda: here.states["SUCCEEDED"] > 0)

    return kill


def _cut_all(here: Stage, count: int) -> Doing:
    async def cut(here: Stage) -> None:
        await asyncio.sleep(0.5)  # everybody has come
        async with asyncio.TaskGroup() as group:
            for number, proxy in enumerate(here.proxies):
                group.create_task(_cut_one(here, proxy, here.chance(f"cut {number}"), count))

    return cut


async def _cut_one(here: Stage, proxy: Proxy, chance: random.Random, count: int) -> None:
    while here.inflicted["cut"] < count:
        await asyncio.sleep(chance.uniform(*PAUSE_S))
        if proxy.open:
            here.inflicted["cut"] += 1
            await harm(proxy, chance.choice(CUTTING), chance)
