"""The room of workers, as the dispatcher is handed it when it is composed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon_server.dispatcher.handling import TurnId, Workers
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Guards, Links
from antiphon_server.runtime.process.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class TurnState:
    """Whose turn it is, by which handler, in which attempt, and whether it has not ended."""

    workspace_id: str
    handler: str
    attempt: int
    goes_on: bool


class TurnStates(Protocol):
    """Knows how turns are."""

    async def state(self, conversation_id: str, turn_id: TurnId) -> TurnState:
        """How it is. Raises DomainError NOT_FOUND, STORE_UNAVAILABLE."""
        ...


class WorkerRoom(Workers, Protocol):
    """Workers that dial in: part of the dispatcher's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, before turns are taken in hand."""
        ...

    def refuse(self) -> None:
        """Take no worker on any more; those that are here stay."""
        ...

    def drain(self) -> None:
        """Send all workers to other servers."""
        ...

    def streams(self) -> int:
        """How many workers are here."""
        ...

    def collectors(self) -> Sequence[Any]:
        """Its collectors for prometheus_client."""
        ...


ComposeWorkers: TypeAlias = Callable[
    [Infrastructure, Links, Guards, Collection[str], TurnStates], WorkerRoom
]
"""Puts the room together: beside the handlers of those names, which are built in."""
