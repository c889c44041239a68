"""How long a stop of the root takes to reach the last handler of a tree, and if at once.

That is before the stop is answered, as whoever asked for it hears when the root's end is stored:
however busy a machine is, handlers that were told first know first. Of a server that stops level by
level, when the ends of those above are stored, the leaves never know by then.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.e2e.process import COMMAND
from tests.e2e.until import PATIENCE_S
from tests.proofs.trees.forest import forest, planted
from tests.proofs.trees.judging import Shape
from tests.proofs.workers.processes import Came, Fleet

LONG = Shape(rounds=1, ms=600_000)
WITHIN_S = 0.1
LOOK_S = 0.1
"""Logs are looked at seldom, so that this costs the machine nothing: workers say when it was."""
CALM_S = 1.0
HANDLERS, AT_ONCE = "handlers", "knew before the stop was answered"


async def stops_of(home: Path, trees: int, server: Sequence[str] = COMMAND) -> Came:
    """So many trees of 40 turns, stopped when all have begun; ``next_s`` is until the last knew."""
    came = Came(what="stop to the last handler")
    async with forest(home, server) as here:
        for number in range(trees):
            answered_s, told_s = await _stopped(here, number)
            came.next_s.append(max(told_s))
            came.counts["trees"] += 1
            came.counts[HANDLERS] += len(told_s)
            came.counts[AT_ONCE] += sum(it < answered_s for it in told_s)
    return came


async def _stopped(here: Fleet, number: int) -> tuple[float, Sequence[float]]:
    """How long it took until the stop was answered, and until each handler was told."""
    async with here.client(here.servers[number % 2]) as client:
        root = await planted(client, LONG)
        ids = await _begun(here)
        await asyncio.sleep(CALM_S)
        began = time.monotonic()
        await client.cancel_turn(root.conversation_id, root.turn_id)
        answered_s = time.monotonic() - began
        await _until(lambda: ids <= set(_told(here)))
        return answered_s, [at - began for turn_id, at in _told(here).items() if turn_id in ids]


async def _begun(here: Fleet) -> set[str]:
    """The turns of the tree, when all its handlers are at work."""

    def working() -> set[str]:
        begun = {line[1] for it in here.all for line in it.process.said("begun")}
        return begun - set(_told(here))

    await _until(lambda: len(working()) == LONG.turns)
    return working()


def _told(here: Fleet) -> dict[str, float]:
    """When handlers were told, by their turns."""
    return {line[1]: float(line[2]) for it in here.all for line in it.process.said("stopped")}


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
