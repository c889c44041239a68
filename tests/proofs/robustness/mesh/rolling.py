"""Every process of an installation is restarted in its turn, under load, and nobody notices.

No call fails that a client made, no event is lost or doubled, every turn ends as it should.
"""

import asyncio

from tests.proofs.robustness.mesh.deployment import Deployment
from tests.proofs.robustness.mesh.plain import PEOPLE, READERS, WORKERS, Calls, working
from tests.proofs.robustness.scenario import Outcome, Scenario, act
from tests.proofs.robustness.stage import Stage

BEFORE_S, BETWEEN_S = 1.0, 1.5


async def roll(made: Deployment, name: str, *only: str) -> Outcome:
    """Restart everything once, or ``only`` these, and judge what people noticed."""
    calls = Calls()
    scenario = Scenario(
        f"rolling, {name}",
        (),
        PEOPLE,
        workers=working(WORKERS, calls),
        readers=working(READERS, calls),
    )

    async def restart(here: Stage) -> None:
        await asyncio.sleep(BEFORE_S)
        for part in only or made.parts:
            calls.during = part
            await made.parts[part]()
            here.inflicted[f"restart of {part}"] += 1
            await asyncio.sleep(BETWEEN_S)

    outcome = await act(made.enter("envoy"), scenario, restart)
    print(f"the slowest call: {calls.slowest}, {calls.slowest_s:.1f} s")
    outcome.wrong += calls.failed
    outcome.wrong += [
        f"{count} turns ended {state}"
        for state, count in outcome.states.items()
        if state != "SUCCEEDED"
    ]
    outcome.counts.update(
        {
            "calls": calls.made,
            "failed": len(calls.failed),
            "ms the slowest call": round(calls.slowest_s * 1000),
        }
    )
    return outcome
