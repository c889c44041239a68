"""Events of connections, in the logs of their workspaces."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from antiphon.events.v1.event_pb2 import ConnectionChanged, Event
from antiphon.events.v1.event_service_pb2 import AppendRequest
from antiphon.integration.v1.connection_pb2 import ConnectionStatus
from antiphon_server.integration.connections.model import Connection, Status
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:
    from antiphon.events.v1.event_service_pb2_grpc import EventServiceAsyncStub

INTEGRATION = "services/integration"
TIMEOUT_S = 5.0
log = logging.getLogger(__name__)


class Announcements:
    """See :class:`~antiphon_server.integration.connections.ports.Told`.

    Those of the installation have no workspace, and are logged alone. What can't be told is not
    told later: the next change says what is so then.
    """

    def __init__(
        self, events: "EventServiceAsyncStub", encode: Callable[[Status], ConnectionStatus]
    ) -> None:
        self._events, self._encode = events, encode

    async def __call__(self, connection: Connection, status: Status | None) -> None:
        state = "removed" if status is None else status.state.name
        reason = "" if status is None else status.error_reason
        said = {} if status is None else status.error_metadata
        why = ", ".join(f"{name} {value}" for name, value in said.items())
        log.info("connection %s is %s %s (%s)", connection.name, state, reason, why)
        if not connection.workspace_id:
            return
        encoded = None if status is None else self._encode(status)
        changed = ConnectionChanged(name=connection.name, status=encoded)
        request = AppendRequest(
            scope=f"workspaces/{connection.workspace_id}",
            events=[Event(actor=INTEGRATION, connection_changed=changed)],
        )
        try:
            with remote_errors("events"):
                await self._events.Append(request, timeout=TIMEOUT_S)
        except (DomainError, grpc.aio.UsageError) as error:
            log.warning("a change of connection %s could not be told: %s", connection.name, error)
