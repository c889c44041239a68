"""Users' own logs, through the service that keeps them."""

from typing import TYPE_CHECKING

from antiphon.events.v1.event_pb2 import Event
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon_server.notifying.model import CANCELLED, Kind, Note
from antiphon_server.notifying.ports import Rights
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

TIMEOUT_S = 10.0


class UserLogs:
    """A :class:`~antiphon_server.notifying.ports.TellsUsers` by the EventService."""

    def __init__(self, events: "EventServiceAsyncStub", rights: Rights) -> None:
        self._events, self._rights = events, rights

    async def tell(self, note: Note) -> None:
        """See :meth:`TellsUsers.tell`."""
        if not is_for_user(note):
            return
        if not await self._may_know(note):
            return
        about = note.about
        request = AppendRequest(
            scope=note.creator,
            events=[Event.FromString(note.body)],
            request_id=note.notification_id,
            unless_watched=f"conversations/{about.conversation_id}" if about else "",
        )
        try:
            with remote_errors("events"):
                await self._events.Append(request, timeout=TIMEOUT_S)
        except DomainError as error:
            if error.reason is not Reason.REQUEST_ID_REUSED:  # it was told, in other words
                raise

    async def _may_know(self, note: Note) -> bool:
        about, rights = note.about, self._rights
        if not await rights.may_act(note.creator):
            return False
        return about is None or await rights.may_read(note.creator, about.conversation_id)


def is_for_user(note: Note) -> bool:
    """Whether its user may want to know it: who stops a turn knows that it has ended."""
    about = note.about
    is_stopped = about and about.kind is Kind.TURN_ENDED and about.state == CANCELLED
    return note.creator.startswith("users/") and not is_stopped
