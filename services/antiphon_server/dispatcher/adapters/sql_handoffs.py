"""What waits for people, in a SQL database."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select, tuple_

from antiphon.dispatcher.v1.handoff_pb2 import QueuedHandoff as Message
from antiphon_server.dispatcher.adapters.tables import handoffs, turns
from antiphon_server.dispatcher.handoff_encoding import queued_message, queued_of
from antiphon_server.dispatcher.handoff_model import QueuedHandoff
from antiphon_server.dispatcher.model import State, Turn
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert

_KEY = "(handoff_id, conversation_id)"
_PUT = PreparedInsert(handoffs, f" ON CONFLICT {_KEY} DO UPDATE SET item = excluded.item")
_OPEN = turns.c.state < State.SUCCEEDED
# What a server could not take away when its turn ended is not shown.
_LIST = (
    select(handoffs.c.item, handoffs.c.workspace_id)
    .join(
        turns,
        (turns.c.turn_id == handoffs.c.turn_id)
        & (turns.c.conversation_id == handoffs.c.conversation_id),
    )
    .where(
        handoffs.c.workspace_id == bindparam("b_workspace"),
        tuple_(handoffs.c.created_us, handoffs.c.handoff_id)
        > tuple_(bindparam("b_created"), bindparam("b_handoff")),
        _OPEN,
    )
    .order_by(handoffs.c.created_us, handoffs.c.handoff_id)
    .limit(bindparam("b_limit"))
)
_REMOVE = delete(handoffs).where(
    handoffs.c.turn_id == bindparam("b_turn"),
    handoffs.c.conversation_id == bindparam("b_conversation"),
)


class SqlHandoffQueue:
    """A :class:`~antiphon_server.dispatcher.ports.HandoffQueue` in a SQL database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, queued: QueuedHandoff) -> None:
        row = {
            "handoff_id": queued.handoff.handoff_id,
            "conversation_id": queued.conversation_id,
            "workspace_id": queued.workspace_id,
            "turn_id": queued.turn_id,
            "created_us": queued.handoff.created_us,
            "item": queued_message(queued).SerializeToString(deterministic=True),
        }
        await self._database.write(lambda it: _PUT.run(it, [row]))

    async def remove(self, turn: Turn) -> None:
        this = {"b_turn": turn.turn_id, "b_conversation": turn.conversation_id}
        await self._database.write(lambda it: it.execute(_REMOVE, this))

    async def list(
        self, workspace_id: str, after: tuple[int, str], limit: int
    ) -> Sequence[QueuedHandoff]:
        names = ("b_created", "b_handoff")
        at = {**dict(zip(names, after, strict=True)), "b_workspace": workspace_id, "b_limit": limit}
        rows = await self._database.read(lambda it: it.execute(_LIST, at).all())
        return [queued_of(Message.FromString(bytes(it.item)), it.workspace_id) for it in rows]
