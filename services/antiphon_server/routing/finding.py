"""Handlers found: of turns that come, of messages that are explained, of turns of before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from antiphon_server.dispatcher.routing_room import (
    Asks,
    ConversationId,
    Conversations,
    ConversationView,
    HandlerInfo,
    Offer,
    Posted,
    Routed,
    Turn,
    TurnSources,
)
from antiphon_server.routing.deciding import Router
from antiphon_server.routing.encoding import decision_message, said_of
from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Decision, Expert, Rule
from antiphon_server.routing.ports import Classifies
from antiphon_server.routing.routes import Routes
from antiphon_server.runtime.profiles.model import Profiles, user_of
from antiphon_server.runtime.revisions.model import GLOBAL

MOST_TRIED = 1000


@dataclass(frozen=True, slots=True)
class Tried:
    """What rules would have decided of a turn."""

    turn: Turn
    decision: Decision

    @property
    def handler(self) -> str:
        """Who would have got it; of those of whom a person would have chosen one, who had it."""
        had, question = self.turn.order.handler, self.decision.question
        if question is not None and had in [it.handler for it in question.experts]:
            return had
        return self.decision.handler


class Finding:
    """Asks the rules that stand, or others, by one way: what is explained is what happens."""

    def __init__(
        self, routes: Routes, classify: Classifies, sources: TurnSources, profiles: Profiles
    ) -> None:
        self._routes, self._classify, self._sources = routes, classify, sources
        self._profiles = profiles

    async def route(self, posted: Posted) -> Routed | None:
        """See :meth:`RoutesTurns.route`."""
        workspace_id = posted.conversation.workspace_id
        if not self._routes.stand(workspace_id):
            return None
        return routed(await self.decision(posted))

    async def decision(self, posted: Posted) -> Decision:
        """Who gets the message, and why; the default handler where no routes stand."""
        workspace_id = posted.conversation.workspace_id
        router = await self._router(workspace_id)
        return await self._decided(router, posted, await self._routes.of(workspace_id, GLOBAL))

    async def tried(self, parent: str, rules: Sequence[Rule], most: int) -> AsyncIterator[Tried]:
        """What those rules of a parent would have decided of its newest turns, the newest first.

        The other parent's stand as they are. Raises DomainError INVALID_ARGUMENT.
        """
        table = await self._routes.trial(parent, rules)
        trial = _Trial(self._sources.conversations)
        workspace_id = "" if parent == GLOBAL else parent
        async for turns in self._sources.turns.newest(workspace_id, most):
            for turn, posted in await trial.posted([it for it in turns if self._asks(it)]):
                workspace_id = turn.workspace_id
                if workspace_id not in trial.routers:
                    trial.routers[workspace_id] = await self._router(workspace_id)
                standing = await self._routes.of(workspace_id, GLOBAL)
                tables = sorted(
                    [*(it for it in standing if it.parent != parent), table],
                    key=lambda it: it.parent == GLOBAL,
                )
                router = trial.routers[workspace_id]
                yield Tried(turn, await self._decided(router, posted, tables))
                await asyncio.sleep(0)  # others' turns come between

    async def _decided(self, router: Router, posted: Posted, tables: Sequence[Table]) -> Decision:
        said = said_of(posted)
        user_id = user_of(said.sender)
        if user_id is not None and any(it.asks_who for it in tables):
            who = await self._profiles.of(user_id, said.workspace_id)
            said = replace(said, sender_locale=who.locale, sender_fields=who.fields)
        return await router.decided(said, tables)

    def _asks(self, turn: Turn) -> bool:
        """Whether its caller named no handler, as far as can be told."""
        is_default = turn.order.handler == self._sources.default
        return turn.order.parent is None and (bool(turn.order.route) or is_default)

    async def _router(self, workspace_id: str) -> Router:
        infos = await self._sources.handlers.infos(workspace_id)
        return Router(self._sources.default, _Known(tuple(map(_expert, infos))), self._classify)


def routed(decision: Decision) -> Routed:
    """The same as the dispatcher is told it, with what is so once the handler has vanished."""
    fallback = routed(decision.fallen_back()) if decision.fallback else None
    encoded = decision_message(decision).SerializeToString()
    return Routed(decision.handler, encoded, fallback, _asks(decision))


def _asks(decision: Decision) -> Asks | None:
    question, otherwise = decision.question, decision.otherwise
    if question is None or otherwise is None:
        return None
    offers = [Offer(it.description, routed(decision.chosen(it.handler))) for it in question.experts]
    return Asks(tuple(offers), question.wait_s, routed(otherwise))


class _Trial:
    """What is looked up once for all turns that rules are tried on."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._views: dict[ConversationId, ConversationView] = {}
        self.routers: dict[str, Router] = {}
        """By workspaces."""

    async def posted(self, turns: Sequence[Turn]) -> Sequence[tuple[Turn, Posted]]:
        """Turns, and their messages."""
        new = {it.conversation_id for it in turns} - self._views.keys()
        found = await asyncio.gather(*map(self._conversations.get, new))
        self._views.update(zip(new, found, strict=True))
        views = ((it, self._views[it.conversation_id]) for it in turns)
        return [(it, Posted(view, it.creator, it.order.content)) for it, view in views]


@dataclass(frozen=True, slots=True)
class _Known:
    """See :class:`~antiphon_server.routing.ports.Experts`: those of one workspace."""

    experts: Sequence[Expert]

    def of(self, workspace_id: str) -> Sequence[Expert]:
        """See :meth:`Experts.of`."""
        return self.experts


def _expert(info: HandlerInfo) -> Expert:
    return Expert(info.name, info.description, tuple(info.examples), info.available)
