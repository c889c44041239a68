"""Which turns run, for whoever is shown a grant: asked of the dispatcher, wherever that is."""

from typing import TYPE_CHECKING

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon_server.runtime.access.principal import Grant
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # it exists for the type checker alone
    from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceAsyncStub

TIMEOUT_S = 10.0


class GrantedTurns:
    """A :class:`~antiphon_server.runtime.access.grants.RunningTurns`.

    The stub's channel must speak as a service of this installation.
    """

    def __init__(self, dispatcher: "DispatcherServiceAsyncStub") -> None:
        self._dispatcher = dispatcher

    async def runs(self, grant: Grant, *, or_later: bool = False) -> bool:
        """See :meth:`RunningTurns.runs`."""
        request = pb.CheckGrantRequest(
            conversation_id=grant.conversation_id,
            turn_id=grant.turn_id,
            attempt=grant.attempt,
            or_later=or_later,
        )
        with remote_errors("dispatcher"):
            return (await self._dispatcher.CheckGrant(request, timeout=TIMEOUT_S)).runs
