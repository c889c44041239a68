"""Every process of an installation is restarted in its turn, under load, and nobody notices.

No call fails that a client made, no event is lost or doubled, every turn ends as it should.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from tests.proofs.robustness.mesh.deployment import Deployment
from tests.proofs.robustness.mesh.plain import KINDS, LASTING, PEOPLE, Calls
from tests.proofs.robustness.scenario import SETTLE_S, Outcome
from tests.proofs.robustness.stage import Stage
from tests.proofs.robustness.traffic import caught_up, read_state
from tests.proofs.robustness.validators import violations

SCENES = 2
BEFORE_S, BETWEEN_S = 1.0, 1.5


async def roll(made: Deployment, name: str, *only: str) -> Outcome:
    """Restart everything once, or ``only`` these, and judge what people noticed."""
    here, calls, began = made.enter("envoy"), Calls(), time.monotonic()
    outcome = Outcome(f"rolling, {name}", here.seed)
    await here.open_scenes(SCENES)
    try:
        async with _people(here, calls) as finished:
            await asyncio.sleep(BEFORE_S)
            for part in only or made.parts:
                calls.during = part
                await made.parts[part]()
                here.inflicted[f"restart of {part}"] += 1
                await asyncio.sleep(BETWEEN_S)
            here.stopping.set()
            async with asyncio.timeout(SETTLE_S):
                await finished()
    except TimeoutError:
        outcome.wrong.append(f"did not settle within {SETTLE_S:.0f} s")
    outcome.seconds = time.monotonic() - began
    await _judge(here, calls, outcome)
    return outcome


@asynccontextmanager
async def _people(here: Stage, calls: Calls) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """People at work; gives what waits until they are done and have seen everything."""
    here.stopping.clear()
    tasks: dict[str, list[asyncio.Task[None]]] = {}
    async with AsyncExitStack() as stack:
        for kind, count in PEOPLE.items():
            for number in range(count):
                client = await stack.enter_async_context(here.sure())
                scene = here.scenes[number % len(here.scenes)]
                work = KINDS[kind](here, calls, scene, client)
                tasks.setdefault(kind, []).append(asyncio.create_task(work, name=kind))

        async def finished() -> None:
            for kind in tasks.keys() - LASTING:
                await asyncio.gather(*tasks[kind])
            async with here.sure() as client:
                for scene in here.scenes:
                    await caught_up(client, scene.conversation_id, scene.history.readers)

        try:
            yield finished
        finally:
            everybody = [task for of_kind in tasks.values() for task in of_kind]
            for task in everybody:
                task.cancel()
            ends = await asyncio.gather(*everybody, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _judge(here: Stage, calls: Calls, outcome: Outcome) -> None:
    async with here.sure() as client:
        for scene in here.scenes:
            await read_state(client, scene.conversation_id, scene.history)
    histories = [scene.history for scene in here.scenes]
    print(f"the slowest call: {calls.slowest}, {calls.slowest_s:.1f} s")
    outcome.wrong += calls.failed
    for number, history in enumerate(histories):
        outcome.wrong += [f"conversation {number}: {what}" for what in violations(history)]
    outcome.wrong += [
        f"{count} turns ended {state}"
        for state, count in here.states.items()
        if state != "SUCCEEDED"
    ]
    outcome.states, here.states = here.states, type(here.states)()
    outcome.inflicted, here.inflicted = here.inflicted, type(here.inflicted)()
    outcome.counts.update(
        {
            "calls": calls.made,
            "failed": len(calls.failed),
            "ms the slowest call": round(calls.slowest_s * 1000),
            "events": sum(len(history.log) for history in histories),
            "seen": sum(len(it.seen) for history in histories for it in history.readers),
            "posts acknowledged": sum(len(history.accepted_messages) for history in histories),
            "turns acknowledged": sum(len(history.accepted_turns) for history in histories),
        }
    )
