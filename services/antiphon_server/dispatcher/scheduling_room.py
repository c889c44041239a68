"""The room of schedules, as the dispatcher is handed it when it is composed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon_server.dispatcher.calls import Caller, Openings, TurnCalls
from antiphon_server.dispatcher.fronts import NO_TURN
from antiphon_server.dispatcher.model import ConversationId, ConversationView
from antiphon_server.dispatcher.ports import FilteredConversations, Words
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle

__all__ = [
    "NO_TURN",
    "Caller",
    "ComposeScheduling",
    "ConversationId",
    "ConversationView",
    "FilteredConversations",
    "Openings",
    "PostsTurns",
    "SchedulingRoom",
    "TurnCalls",
    "TurnDoors",
    "Words",
]


class PostsTurns(Protocol):
    """Starts turns in the names of those who are not there."""

    async def post(self, request: DispatchRequest, principal: Principal) -> bool:
        """Start a turn, unless another server decides about the conversation's: False then.

        A new conversation has the id that the request says, and is made once. Whether the principal
        may make it, and post there, is asked. Raises DomainError as Dispatch does.
        """
        ...

    async def ours(self, conversation_id: str) -> bool:
        """Whether this server decides about the conversation's turns; it does if nobody did."""
        ...

    async def came(self, conversation_id: str, turn_id: str) -> bool:
        """Whether there is such a turn, wherever it runs or ran."""
        ...


@dataclass(frozen=True, slots=True)
class TurnDoors:
    """What the room may use of the dispatcher."""

    posting: PostsTurns
    calls: TurnCalls
    openings: Openings
    conversations: FilteredConversations


class SchedulingRoom(Protocol):
    """Turns that start by the clock: part of the dispatcher's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, when turns are taken on."""
        ...

    def collectors(self) -> Sequence[Any]:
        """Its collectors for prometheus_client."""
        ...


ComposeScheduling: TypeAlias = Callable[[Infrastructure, Links, TurnDoors], SchedulingRoom]
"""Puts the room together."""
