"""Turns that no caller of the moment asks for, begun by the server that decides about them."""

from antiphon.dispatcher.v1.dispatcher_service_pb2 import DispatchRequest
from antiphon_server.dispatcher.adapters.openings import OpeningsForAbsent
from antiphon_server.dispatcher.adoption import Adoptions
from antiphon_server.dispatcher.calls import Caller, TurnCalls
from antiphon_server.dispatcher.model import ConversationId, Turn, TurnId
from antiphon_server.dispatcher.ports import Gatekeeper, LaneOwners, TurnStore
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
        store: TurnStore,
        openings: OpeningsForAbsent,
    ) -> None:
        self._store, self._openings = store, openings
        self._here, self._gatekeeper = here, gatekeeper
        self._owners, self._adoptions = owners, adoptions

    async def post(self, request: DispatchRequest, principal: Principal) -> bool:
        """See :meth:`PostsTurns.post`."""
        wished = request.new_conversation.conversation_id
        conversation_id = ConversationId(request.conversation_id or wished)
        if not await self.ours(conversation_id):
            return False
        if self._owners is not None:
            await self._adoptions.settled(conversation_id)
        opened = await self._openings.opened(request, principal)
        await self._gatekeeper.check_write(principal, conversation_id)
        await self._here.dispatch(opened, Caller(principal, (), is_there=False))
        return True

    async def ours(self, conversation_id: str) -> bool:
        """See :meth:`PostsTurns.ours`."""
        if self._owners is None:
            return True
        return (await self._owners.place(ConversationId(conversation_id))).ours

    async def came(self, conversation_id: str, turn_id: str) -> bool:
        """See :meth:`PostsTurns.came`."""
        found = await self._store.get(ConversationId(conversation_id), TurnId(turn_id))
        return isinstance(found, Turn)
