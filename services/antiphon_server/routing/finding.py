"""Handlers found: of turns that come, of messages that are explained, of turns of before."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from antiphon_server.dispatcher.routing_room import (
    ConversationId,
    ConversationView,
    HandlerInfo,
    Posted,
    Routed,
    Turn,
    TurnSources,
)
from antiphon_server.routing.deciding import Router
from antiphon_server.routing.encoding import decision_message, said_of
from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import GLOBAL, Decision, Expert, Rule
from antiphon_server.routing.ports import Classifies
from antiphon_server.routing.routes import Routes

MOST_TRIED = 1000
AT_ONCE = 32
"""So many conversations are asked for at once."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What rules would have decided of a turn."""

    turn: Turn
    decision: Decision


class Finding:
    """Asks the rules that stand, or others, by one way: what is explained is what happens."""

    def __init__(self, routes: Routes, classify: Classifies, sources: TurnSources) -> None:
        self._routes, self._classify, self._sources = routes, classify, sources

    async def route(self, posted: Posted) -> Routed | None:
        """See :meth:`RoutesTurns.route`."""
        workspace_id = posted.conversation.workspace_id
        if not self._routes.stand(workspace_id):
            return None
        decision = await self.decision(posted)
        return Routed(decision.handler, decision_message(decision).SerializeToString())

    async def decision(self, posted: Posted) -> Decision:
        """Who gets the message, and why; the default handler where no routes stand."""
        workspace_id = posted.conversation.workspace_id
        router = await self._router(workspace_id)
        said = said_of(posted.content, posted.sender, posted.conversation)
        return await router.decided(said, await self._routes.of(workspace_id))

    async def tried(self, parent: str, rules: Sequence[Rule], most: int) -> AsyncIterator[Tried]:
        """What those rules of a parent would have decided of its newest turns, the newest first.

        The other parent's stand as they are. Raises DomainError INVALID_ARGUMENT.
        """
        table = await asyncio.to_thread(Table, parent, 0, rules)
        workspace_id = "" if parent == GLOBAL else parent
        turns = [
            it for it in await self._sources.turns.newest(workspace_id, most) if self._asks(it)
        ]
        views = await self._views({it.conversation_id for it in turns})
        routers: dict[str, Router] = {}
        for turn in turns:
            workspace_id = turn.workspace_id
            if workspace_id not in routers:
                routers[workspace_id] = await self._router(workspace_id)
            said = said_of(turn.order.content, turn.creator, views[turn.conversation_id])
            standing = [it for it in await self._routes.of(workspace_id) if it.parent != parent]
            tables = sorted([*standing, table], key=lambda it: it.parent == GLOBAL)
            yield Tried(turn, await routers[workspace_id].decided(said, tables))
            await asyncio.sleep(0)  # others' turns come between

    def _asks(self, turn: Turn) -> bool:
        """Whether its caller named no handler, as far as can be told."""
        is_default = turn.order.handler == self._sources.default
        return turn.order.parent is None and (bool(turn.order.route) or is_default)

    async def _views(
        self, conversation_ids: Collection[ConversationId]
    ) -> Mapping[ConversationId, ConversationView]:
        asked, views = list(conversation_ids), list[ConversationView]()
        get = self._sources.conversations.get
        for begin in range(0, len(asked), AT_ONCE):
            views += await asyncio.gather(*map(get, asked[begin : begin + AT_ONCE]))
        return {it.conversation_id: it for it in views}

    async def _router(self, workspace_id: str) -> Router:
        infos = await self._sources.handlers.infos(workspace_id)
        return Router(self._sources.default, _Known(tuple(map(_expert, infos))), self._classify)


@dataclass(frozen=True, slots=True)
class _Known:
    """See :class:`~antiphon_server.routing.ports.Experts`: those of one workspace."""

    experts: Sequence[Expert]

    def of(self, workspace_id: str) -> Sequence[Expert]:
        """See :meth:`Experts.of`."""
        return self.experts


def _expert(info: HandlerInfo) -> Expert:
    return Expert(info.name, info.description, tuple(info.examples), info.available)
