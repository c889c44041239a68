"""A dispatcher on a real log, whose handler ``it`` workers serve that have no streams."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from antiphon_server.dispatcher.handling import Turn
from antiphon_server.dispatcher.masking import Masks
from antiphon_server.runtime.access.principal import UserId, set_principal
from antiphon_server.workers.adapters.sql_permissions import SqlPermissions
from antiphon_server.workers.asking import Asking
from antiphon_server.workers.encoding import PartContents
from antiphon_server.workers.following import Following
from antiphon_server.workers.frames import Held
from antiphon_server.workers.model import GLOBAL, Begun, HandlerName
from antiphon_server.workers.permissions import Permissions
from antiphon_server.workers.pool import Pool
from antiphon_server.workers.serving import Serving
from antiphon_server.workers.session import Session
from tests.dispatcher.world import ANNA, CONVERSATION, TABLES, World, turn_id, world
from tests.e2e.until import SOON_S
from tests.fakes.databases import opened_sqlite
from tests.workers.stand_ins import LIMITS, PROGRAM, session

LEFT = (b"what is left",)
_UNUSED: Any = None


class Outside:
    """What workers need from outside: everybody is there, and every turn has a budget."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[Begun] = asyncio.Queue()

    async def require(self, user_id: UserId) -> None:
        """There is such a user."""

    def issue(self, turn: Turn, until: float) -> str:
        """The same token for all."""
        return "grant"

    async def left(self, turn: Turn) -> Sequence[bytes]:
        """The same for all."""
        return LEFT

    def begin(self, begun: Begun) -> None:
        """Keep it until a test asks."""
        self.begun.put_nowait(begun)


@dataclass
class Served:
    """The handler's turns, and the workers that are there for them."""

    turns: World
    pool: Pool
    serving: Serving
    outside: Outside = field(repr=False)

    def comes(self, one: Session) -> Session:
        """A worker has come, or come back, as at the beginning of its stream."""
        self.pool.add(one)
        self.serving.assignments.returned(one)
        self.pool.serve()
        return one

    async def assigned(self) -> None:
        """Wait until a worker has the turn by the log, and all that comes of that is done."""
        async with asyncio.timeout(SOON_S):
            await self.outside.begun.get()
        await asyncio.sleep(0)


def holding(number: int = 1, fence: int = 1) -> Session:
    """A worker that is back, and says that it works on the turn still."""
    held = Held(turn_id(number), CONVERSATION, fence)
    before = session(number)
    return Session(replace(before.worker, held=(held,)), before.parents, PROGRAM, LIMITS)


@asynccontextmanager
async def served(masks: Masks | None = None) -> AsyncIterator[Served]:
    """All of it; ``masks`` hide what they find."""
    async with opened_sqlite(*TABLES) as database:
        outside, pool = Outside(), Pool(LIMITS)
        permissions = Permissions(SqlPermissions(database), outside)
        set_principal(ANNA)
        await permissions.allow(GLOBAL, HandlerName("it"), PROGRAM.principal.user_id)
        contents = PartContents()
        following = Following(Asking(_UNUSED, contents), _UNUSED, contents)
        about = outside, following, outside, outside, LIMITS
        serving = Serving(pool, permissions, *about)
        async with world(database, more=[serving.named("it")], masks=masks) as turns:
            yield Served(turns, pool, serving, outside)
        await permissions.close()
