"""The room of notifications, as the dispatcher is handed it when it is composed."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import grpc
from sqlalchemy import Connection

from antiphon_server.dispatcher.handoff_model import Handoff, PastHandoff
from antiphon_server.dispatcher.model import State, Turn
from antiphon_server.dispatcher.ports import HearsOfWaits
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.process.lifecycle import Lifecycle

__all__ = [
    "ComposeNotifying",
    "Handoff",
    "HearsOfWaits",
    "NotesEnds",
    "NotifyingRoom",
    "NotifyingSettings",
    "PastHandoff",
    "State",
    "Turn",
]


class NotifyingSettings(Protocol):
    """What of a process's settings the room reads."""

    def egress(self) -> EgressPolicy:
        """Where calls may go that users and workspaces name."""
        ...


class NotesEnds(Protocol):
    """Keeps what is to be told of turns' ends, in the transaction that stores them."""

    def keep(self, connection: Connection, ended: Sequence[Turn]) -> Callable[[], None]:
        """Keep it with what ``connection`` commits. Called again for an end, it changes nothing.

        What is returned is called when that is committed: it may be told.
        """
        ...


class NotifyingRoom(NotesEnds, HearsOfWaits, Protocol):
    """Tells who isn't looking: part of the dispatcher's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, when other services answer."""
        ...

    def collectors(self) -> Sequence[Any]:
        """Its collectors for prometheus_client."""
        ...


ComposeNotifying: TypeAlias = Callable[[NotifyingSettings, Infrastructure, Links], NotifyingRoom]
"""Puts the room together."""
