"""The newest turns of all conversations, in a SQL database."""

from collections.abc import AsyncIterator, Sequence

from sqlalchemy import bindparam, or_, select

from antiphon_server.dispatcher.adapters.row import turn_of
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.storage.database import Database

MOST_READ = 20_000
"""A workspace's turns are looked for among so many of the installation's."""
AT_ONCE = 16
"""So many turns are in memory, each with a message of up to 1 MiB."""

_NEWEST = (
    select(
        turns.c.turn_id,
        turns.c.conversation_id,
        turns.c.workspace_id,
        turns.c.created_us,
        (turns.c.order_json == b"").label("is_tombstone"),
    )
    .order_by(turns.c.created_us.desc())
    .limit(MOST_READ)
    .subquery()
)
_KEYS = (
    select(_NEWEST.c.turn_id, _NEWEST.c.conversation_id)
    .where(
        or_(
            bindparam("b_workspace_id") == "", _NEWEST.c.workspace_id == bindparam("b_workspace_id")
        ),
        ~_NEWEST.c.is_tombstone,
    )
    .order_by(_NEWEST.c.created_us.desc())
    .limit(bindparam("b_limit"))
)
_THESE = (
    select(turns)
    .where(
        turns.c.turn_id.in_(bindparam("b_turns", expanding=True)),
        turns.c.conversation_id.in_(bindparam("b_conversations", expanding=True)),
    )
    .order_by(turns.c.created_us.desc())
)


class NewestSqlTurns:
    """See :class:`~antiphon_server.dispatcher.routing_room.NewestTurns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, workspace_id: str, limit: int) -> AsyncIterator[Sequence[Turn]]:
        """See :meth:`NewestTurns.newest`."""
        at = {"b_workspace_id": workspace_id, "b_limit": limit}
        keys = await self._database.read(lambda it: [tuple(row) for row in it.execute(_KEYS, at)])
        for begin in range(0, len(keys), AT_ONCE):
            yield await self._these(keys[begin : begin + AT_ONCE])

    async def _these(self, keys: Sequence[tuple[str, ...]]) -> Sequence[Turn]:
        """SQLite takes no index for pairs, but one for the ids of turns, which callers choose."""
        turn_ids, conversation_ids = zip(*keys, strict=True)
        at = {"b_turns": turn_ids, "b_conversations": conversation_ids}
        rows = await self._database.read(lambda it: it.execute(_THESE, at).all())
        return [turn_of(it) for it in rows if (it.turn_id, it.conversation_id) in keys]
