"""Search on the real context service and log, as its users see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from antiphon_server.memory.adapters.conversations import ContextConversations
from antiphon_server.memory.adapters.logs import EventServiceLogs
from antiphon_server.memory.model import Answer, Brought, ConversationId, SaidPage, SearchWish
from antiphon_server.memory.search.library import MAX_BYTES, Library
from antiphon_server.memory.search.searching import Searching
from antiphon_server.runtime.access.principal import Grant, Principal, SessionId, UserId
from tests.context.stand_ins import ANN, SERVICE, Clock
from tests.context.world import World
from tests.context.world import world as context_world

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub


class HeldLogs(EventServiceLogs):
    """The logs of the life that runs; reading them waits while it is held, or fails.

    ``read_of`` is what was read, a page each.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.failing: Exception | None = None
        self.read_of: list[ConversationId] = []

    @property
    def _events(self) -> "EventServiceAsyncStub":  # type: ignore[override]
        return self._world.log_service.stub

    async def read(self, conversation_id: ConversationId, cursor: str, limit: int = 0) -> SaidPage:
        """See :meth:`Logs.read`."""
        self.read_of.append(conversation_id)
        await self.may_read.wait()
        if self.failing is not None:
            raise self.failing
        return await super().read(conversation_id, cursor, limit)


@dataclass
class Search:
    """A server's library and search, in a world."""

    world: World
    logs: HeldLogs
    library: Library
    searching: Searching
    clock: Clock

    async def find(self, query: str, user: str = ANN, **limits: object) -> list[str]:
        """The texts that a user finds, the best first."""
        answer = await self.answer(query, user, **limits)
        return [it.excerpt.text for it in answer.hits]

    async def answer(self, query: str, user: str = ANN, **limits: object) -> Answer:
        """What a user is answered."""
        return await self.searching.search(person(user), wish(query, **limits))

    async def brought(
        self, *conversation_ids: str, wait_s: float = 10.0, asker: str = ""
    ) -> Brought:
        """Have these in the index."""
        those = [ConversationId(it) for it in conversation_ids]
        return await self.library.bring_up(those, wait_s, asker)


def wish(query: str, **limits: object) -> SearchWish:
    """What is looked for."""
    return replace(SearchWish(query, 10), **limits)  # type: ignore[arg-type]


def person(user: str) -> Principal:
    """Somebody who is signed in."""
    return Principal("user", UserId(user), SessionId("s"))


def worker(user: str, conversation_id: str, workspace_id: str) -> Principal:
    """A worker, by the grant of a turn of that user."""
    grant = Grant("turn_00000001", conversation_id, workspace_id, 1)
    return Principal("grant", UserId(user), SessionId("s"), grant=grant)


@asynccontextmanager
async def search_on(world: World, max_bytes: int = MAX_BYTES) -> AsyncIterator[Search]:
    """One more server's search on a world's data."""
    conversations, logs, clock = (
        ContextConversations(world.client(SERVICE)),
        HeldLogs(world),
        Clock(),
    )
    library = Library(conversations, logs, world.accounts, max_bytes, clock=clock)
    searching = Searching(conversations, world.accounts, library)
    reading = asyncio.create_task(library.run())
    try:
        yield Search(world, logs, library, searching, clock)
    finally:
        reading.cancel()
        await asyncio.wait([reading])


@asynccontextmanager
async def searcher(max_bytes: int = MAX_BYTES) -> AsyncIterator[Search]:
    """Search on a fresh world."""
    async with context_world() as world, search_on(world, max_bytes) as made:
        yield made
