"""The room of routes, as the dispatcher is handed it when it is composed."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import grpc

from antiphon_server.dispatcher.handling import HandlerInfo, Turn
from antiphon_server.dispatcher.model import ConversationId, ConversationView, Posted
from antiphon_server.dispatcher.ports import Conversations, RoutesTurns
from antiphon_server.dispatcher.routed_model import Asks, Offer, Routed
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle

__all__ = [
    "Asks",
    "ComposeRouting",
    "ConversationId",
    "ConversationView",
    "Conversations",
    "HandlerInfo",
    "NewestTurns",
    "Offer",
    "Posted",
    "Routed",
    "RoutesTurns",
    "RoutingRoom",
    "Turn",
    "TurnSources",
]


class NewestTurns(Protocol):
    """Knows turns of all conversations."""

    def newest(self, workspace_id: str, limit: int) -> AsyncIterator[Sequence[Turn]]:
        """Those of a workspace, or of all if it is empty, the newest first; a few at a time.

        Their messages may be large.
        """
        ...


class ListsHandlers(Protocol):
    """Knows who there is."""

    async def infos(self, workspace_id: str = "") -> Sequence[HandlerInfo]:
        """How handlers present themselves that a workspace may name, the default first."""
        ...


@dataclass(frozen=True, slots=True)
class TurnSources:
    """What the room may know of the dispatcher; ``default`` is the default handler's name."""

    default: str
    handlers: ListsHandlers
    conversations: Conversations
    turns: NewestTurns


class RoutingRoom(RoutesTurns, Protocol):
    """Rules that find handlers: part of the dispatcher's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, before turns are taken on."""
        ...


ComposeRouting: TypeAlias = Callable[[Infrastructure, Links, TurnSources], RoutingRoom]
"""Puts the room together."""
