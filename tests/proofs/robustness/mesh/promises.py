"""The promises on several servers: a fault of one of them every so often, whichever the way in."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from tests.proofs.robustness.faults import WIRES, inflict, storm
from tests.proofs.robustness.mesh.deployment import NOW, WHOLE, Split, deployment, own_postgres
from tests.proofs.robustness.mesh.earlier import earlier
from tests.proofs.robustness.mesh.rolling import roll
from tests.proofs.robustness.scenario import CROWD, Doing, Outcome, Scenario, act, close, keep
from tests.proofs.robustness.stage import Stage

EVERY_S = 10.0
# What a browser can do: all but Converse.
OF_A_PAGE = {kind: count for kind, count in CROWD.items() if kind != "talker"} | {"twin": 4}
FAULTS: dict[str, Sequence[str]] = {
    "kill": ("kill",),
    "drain": ("drain",),
    "freeze": ("freeze",),
    "wires": tuple(WIRES),
    "everything": ("kill", "drain", "freeze", *WIRES),
}


def scenario_of(way: str, fault: str) -> Scenario:
    """Who works there."""
    people = OF_A_PAGE if way == "web" else CROWD
    return Scenario(f"mesh, {way}, {fault}", FAULTS[fault], people)


async def mesh_promises(
    home: Path, ways: Sequence[str], fault: str, seed: str, seconds: float
) -> list[Outcome]:
    """One outcome for each way in, one after the other on the same servers."""
    outcomes = []
    async with own_postgres() as postgres, deployment(home, seed, postgres) as made:
        for way in ways:
            stage = made.enter(way)
            stage.seed = f"{seed}-{way}"
            outcomes.append(await play_in(stage, scenario_of(way, fault), seconds))
        await close(made.stage, outcomes[-1])
    return outcomes


async def mesh_rolling(
    home: Path, split: Split, copies: int, seed: str, revision: str = ""
) -> list[Outcome]:
    """Every process restarted once; what ran before is a ``revision``, unless that is empty."""
    name = f"{'servers' if split is WHOLE else 'services apart'}, {copies} of each"
    before = await asyncio.to_thread(earlier, revision, home / "earlier") if revision else NOW
    async with (
        own_postgres() as postgres,
        deployment(home, seed, postgres, split, copies, earlier=before) as made,
    ):
        outcome = await roll(made, name)
        await close(made.stage, outcome)
    return [outcome]


async def play_in(here: Stage, scenario: Scenario, seconds: float) -> Outcome:
    """Let people in, and have the scenario's faults meanwhile."""
    outcome = await act(here, scenario, _doing(scenario.faults, seconds))
    keep(here, outcome)
    return outcome


def _doing(faults: Sequence[str], seconds: float) -> Doing:
    """Fault after fault; kills alone come every ten seconds."""
    if list(faults) != ["kill"]:
        return lambda here: storm(here, faults, seconds)

    async def kill(here: Stage) -> None:
        chance, began = here.chance("kills"), time.monotonic()
        while (now := time.monotonic() - began) < seconds:
            due = (here.inflicted["kill"] + 0.4) * min(EVERY_S, seconds)
            await asyncio.sleep(max(0.0, min(due, seconds) - now))
            if due < seconds:
                await inflict(here, "kill", chance)

    return kill
