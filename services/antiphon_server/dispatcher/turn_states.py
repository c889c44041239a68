"""How turns are, for whoever has worked on them elsewhere."""

from antiphon_server.dispatcher.lane import Lanes
from antiphon_server.dispatcher.model import ConversationId, Turn, TurnId
from antiphon_server.dispatcher.ports import TurnStore
from antiphon_server.dispatcher.worker_room import TurnState
from antiphon_server.runtime.errors import not_found


class StoredTurnStates:
    """See :class:`~antiphon_server.dispatcher.worker_room.TurnStates`."""

    def __init__(self, lanes: Lanes, store: TurnStore) -> None:
        self._lanes, self._store = lanes, store

    async def state(self, conversation_id: str, turn_id: TurnId) -> TurnState:
        """See :meth:`TurnStates.state`."""
        where = ConversationId(conversation_id), turn_id
        if (active := self._lanes.find(*where)) is not None:
            return _state(active.turn, goes_on=True)
        turn = await self._store.get(*where)
        if not isinstance(turn, Turn):
            raise not_found(turn_id)
        return _state(turn, goes_on=not turn.state.ended)


def _state(turn: Turn, *, goes_on: bool) -> TurnState:
    return TurnState(turn.workspace_id, turn.order.handler, turn.attempt, goes_on)
