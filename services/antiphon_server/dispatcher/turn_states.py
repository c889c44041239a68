"""Which turns have ended, for whoever has worked on them elsewhere."""

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import ConversationId, TurnId
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.runtime.errors import not_found


class StoredTurnStates:
    """See :class:`~antiphon_server.dispatcher.worker_room.TurnStates`."""

    def __init__(self, lanes: Lanes, store: TurnStore) -> None:
        self._lanes, self._store = lanes, store

    async def goes_on(self, conversation_id: str, turn_id: TurnId) -> bool:
        """See :meth:`TurnStates.goes_on`."""
        where = ConversationId(conversation_id), turn_id
        if self._lanes.find(*where) is not None:
            return True
        turn = await self._store.get(*where)
        if turn is None:
            raise not_found(turn_id)
        return not turn.state.ended
