"""The room of anomalies, as context is handed it when it is composed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

from antiphon_server.context.ports import Speaking, WatchesMessages
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle

__all__ = ["ComposeWatching", "Found", "Speaking", "TellsFound", "WatchesMessages", "WatchingRoom"]


@dataclass(frozen=True, slots=True)
class Found:
    """That filters found something in what an ``author`` said, or asked for."""

    screening_id: str
    created_us: int
    author: str
    workspace_id: str
    conversation_id: str
    refused: bool


class TellsFound(Protocol):
    """Knows what filters have found."""

    async def found_since(self, since_us: int, most: int) -> Sequence[Found]:
        """What they have found from then on, the newest first."""
        ...


class WatchingRoom(WatchesMessages, Protocol):
    """Detectors of what is out of the ordinary: part of context's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, before messages are taken."""
        ...

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        ...


ComposeWatching: TypeAlias = Callable[[Infrastructure, Links, TellsFound | None], WatchingRoom]
"""Puts the room together, beside the filters if there are any."""
