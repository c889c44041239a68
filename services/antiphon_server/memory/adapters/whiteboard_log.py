"""The logs of conversations, told of their whiteboards through the service that has them."""

from typing import TYPE_CHECKING

from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.trail.model import Entry

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 10.0


class EventServiceLog:
    """Is told entries of which each is an append; a :class:`runtime.trail.ports.SecurityTrail`."""

    def __init__(self, events: "EventServiceAsyncStub") -> None:
        self._events = events

    async def record(self, entry: Entry) -> None:
        """Commit one; the log knows one that was told before. Raises DomainError."""
        with remote_errors("events"):
            await self._events.Append(AppendRequest.FromString(entry.body), timeout=TIMEOUT_S)
