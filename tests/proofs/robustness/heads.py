"""Where the logs begin and end, asked all the time by somebody whom nothing disturbs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from antiphon_client import AntiphonError, Client
from antiphon_client.redial import is_resumable
from tests.proofs.robustness.history import Head
from tests.proofs.robustness.stage import Scene, Stage

EVERY_S = 0.1


@asynccontextmanager
async def heads_sampled(here: Stage) -> AsyncIterator[None]:
    """Note the bounds of each log that is trimmed, for the block's time and once before."""
    trimmed = [scene for scene in here.scenes if scene.history.retention_s is not None]
    async with here.sure() as client:
        for scene in trimmed:
            await _sample(client, scene)
        task = asyncio.create_task(_run(client, trimmed))
        try:
            yield
        finally:
            task.cancel()
            outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    if isinstance(outcome, Exception):
        raise outcome


async def _run(client: Client, scenes: list[Scene]) -> None:
    while scenes:
        await asyncio.sleep(EVERY_S)
        for scene in scenes:
            try:
                await _sample(client, scene)
            except AntiphonError as error:
                if not is_resumable(error):
                    raise


async def _sample(client: Client, scene: Scene) -> None:
    asked = time.monotonic()
    head = await client.get_head(scene.scope)
    told = time.monotonic()
    scene.history.heads.append(Head(asked, told, head.earliest_offset, head.last_offset))
