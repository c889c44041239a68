"""Turns that no caller of the moment asks for, begun by the server that decides about them."""

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.calls import Caller, TurnCalls
from antiphon_server.dispatcher.model import ConversationId
from antiphon_server.dispatcher.ports import Gatekeeper, LaneOwners
from antiphon_server.runtime.access.principal import Principal


class PostedHere:
    """A :class:`~antiphon_server.dispatcher.scheduling_room.PostsTurns`.

    Nobody's credentials are at hand with which another server could be asked: it has to begin them
    itself. ``owners`` is None for a server that is alone.
    """

    def __init__(
        self,
        here: TurnCalls,
        gatekeeper: Gatekeeper,
        owners: LaneOwners | None,
        adoptions: Adoptions,
    ) -> None:
        self._here, self._gatekeeper = here, gatekeeper
        self._owners, self._adoptions = owners, adoptions

    async def post(self, request: DispatchRequest, principal: Principal) -> bool:
        """See :meth:`PostsTurns.post`."""
        conversation_id = ConversationId(request.conversation_id)
        if self._owners is not None:
            if not (await self._owners.place(conversation_id)).ours:
                return False
            await self._adoptions.settled(conversation_id)
        await self._gatekeeper.check_write(principal, conversation_id)
        await self._here.dispatch(request, Caller(principal, ()))
        return True
