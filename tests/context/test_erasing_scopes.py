"""An erasure is one server's, however long what it asks others takes."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.model.erasure_tasks import PERSON, ErasureTask
from antiphon_server.context.model.resources import ConversationId, WorkspaceId
from antiphon_server.context.service.erasing_scopes import ErasingScopes
from antiphon_server.context.service.projection import Projection
from antiphon_server.runtime.concurrency.tasks import first_of
from tests.context.stand_ins import ANN
from tests.context.world import World

CLAIMED_S = 0.3
NOBODY: Any = None
"""Of what is not asked."""


@dataclass
class Slow:
    """Other services, which take several times as long as a server's claim holds."""

    asked: list[str] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def conversation(self, conversation_id: ConversationId) -> None:
        """Not asked."""

    async def workspace(self, workspace_id: WorkspaceId) -> None:
        """Not asked."""

    async def person(self, resource: str) -> None:
        self.asked.append(resource)
        await asyncio.sleep(4 * CLAIMED_S)
        self.done.set()


async def test_a_claim_is_renewed_while_something_takes_long(world: World) -> None:
    """Another server asks nobody for the same meanwhile."""
    store, slow = SqlStore(world.database), Slow()
    task = ErasureTask(PERSON + ANN, 1)
    await store.write(lambda r: r.erasure_tasks.add(task))
    projection = Projection(store, world.log)

    async def server() -> None:
        those = store, projection, NOBODY, NOBODY, slow, time.time
        scopes = ErasingScopes(*those, shared=True, claimed_s=CLAIMED_S)
        while not slow.done.is_set():
            await scopes._next()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(10):
        await first_of([server(), server()])
    assert slow.asked == [PERSON + ANN]
