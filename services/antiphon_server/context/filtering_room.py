"""The room of filters, as context is handed it when it is composed."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import grpc

from antiphon_server.context.encoding import content_with
from antiphon_server.context.model.messages import Content
from antiphon_server.context.model.resources import Conversation
from antiphon_server.context.ports import ScreensMessages, Words
from antiphon_server.context.watching_room import Found, TellsFound
from antiphon_server.runtime.composition.infrastructure import Infrastructure
from antiphon_server.runtime.composition.links import Links
from antiphon_server.runtime.process.lifecycle import Lifecycle

__all__ = [
    "ComposeFiltering",
    "Content",
    "Conversation",
    "FilteringRoom",
    "Found",
    "ScreensMessages",
    "Words",
    "content_with",
]


class FilteringRoom(ScreensMessages, TellsFound, Protocol):
    """Filters in front of what is said: part of context's service."""

    def register(self, server: grpc.aio.Server) -> None:
        """Add its servicer to a server."""
        ...

    async def start(self, lifecycle: Lifecycle) -> None:
        """Start background work, before messages are taken."""
        ...


ComposeFiltering: TypeAlias = Callable[[Infrastructure, Links], FilteringRoom]
"""Puts the room together."""
