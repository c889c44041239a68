"""Routes on a database, what they find, and what they are told of the dispatcher."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from antiphon.context.v1.message_pb2 import Message, Part
from antiphon_server.dispatcher.model import (
    ConversationId,
    ConversationView,
    HandlerInfo,
    LossPolicy,
    Order,
    Policy,
    Posted,
    Turn,
    TurnId,
)
from antiphon_server.dispatcher.routing_room import TurnSources
from antiphon_server.routing.adapters.sql_routes import sql_routes
from antiphon_server.routing.adapters.tables import tables as tables
from antiphon_server.routing.classifying import WordClassifier
from antiphon_server.routing.encoding import content_of
from antiphon_server.routing.finding import Finding
from antiphon_server.routing.routes import Routes, routes_in
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId, set_principal
from antiphon_server.runtime.errors import not_found
from tests.fakes.databases import opened_sqlite
from tests.fakes.fixed_profiles import FixedProfiles

HOME = "ws_00000001"
ANN = "users/user_0000000ann"
CONVERSATION = ConversationView(ConversationId("conv_00000001"), HOME)


@dataclass
class Dispatched:
    """Handlers, conversations and turns; the newest of these is the last."""

    handlers: list[HandlerInfo] = field(default_factory=list)
    views: dict[str, ConversationView] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)

    async def infos(self, workspace_id: str = "") -> Sequence[HandlerInfo]:
        return self.handlers

    async def get(self, conversation_id: ConversationId) -> ConversationView:
        if conversation_id not in self.views:
            raise not_found(conversation_id)
        return self.views[conversation_id]

    async def newest(self, workspace_id: str, limit: int) -> AsyncIterator[Sequence[Turn]]:
        those = [it for it in self.turns if workspace_id in ("", it.workspace_id)]
        for it in those[::-1][:limit]:
            yield [it]


@dataclass
class World:
    """What finds handlers, and its surroundings."""

    routes: Routes
    finding: Finding
    around: Dispatched
    profiles: FixedProfiles


@contextlib.asynccontextmanager
async def opened_world() -> AsyncIterator[World]:
    """Servers' own handlers are `assistant` and `echo`."""
    set_principal(Principal("user", UserId("user_0000000ann"), SessionId("sess_1")))
    own = [HandlerInfo(it, "", LossPolicy.FAIL) for it in ("assistant", "echo")]
    around = Dispatched(own, {CONVERSATION.conversation_id: CONVERSATION})
    async with opened_sqlite(tables.revisions.metadata) as database:
        routes = routes_in(sql_routes(database))
        sources = TurnSources("assistant", around, around, around)
        profiles = FixedProfiles()
        finding = Finding(routes, WordClassifier(), sources, profiles)
        yield World(routes, finding, around, profiles)
        await routes.close()


def posted(text: str) -> Posted:
    """A message in the conversation."""
    return Posted(CONVERSATION, ANN, content_of(Message(parts=[Part(text=text)])))


def was(number: int, conversation: ConversationView = CONVERSATION) -> Turn:
    """A turn that the default handler worked on."""
    content = posted(f"message {number}").content
    asked = Order(content, "assistant", Policy.QUEUE)
    turn_id = TurnId(f"turn_{number:08}")
    return Turn(
        turn_id,
        conversation.conversation_id,
        ANN,
        number,
        b"",
        asked,
        workspace_id=conversation.workspace_id,
    )


@contextlib.asynccontextmanager
async def watched_loop() -> AsyncIterator[list[float]]:
    """For how long at a time others could not run, in seconds."""
    gaps: list[float] = []

    async def look() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - began)

    task = asyncio.create_task(look())
    try:
        yield gaps
    finally:
        await asyncio.sleep(0.01)
        task.cancel()
