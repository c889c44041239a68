"""The newest turns of all conversations, in a SQL database."""

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select

from antiphon_server.dispatcher.adapters.row import turn_of
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.model import Turn
from antiphon_server.runtime.storage.database import Database

MOST_READ = 20_000
"""A workspace's turns are looked for among so many of the installation's."""

_NEWEST = (
    select(turns.c.turn_id, turns.c.conversation_id, turns.c.workspace_id, turns.c.created_us)
    .order_by(turns.c.created_us.desc())
    .limit(MOST_READ)
    .subquery()
)
_OF_WORKSPACE = (
    select(turns)
    .join(
        _NEWEST,
        (turns.c.turn_id == _NEWEST.c.turn_id)
        & (turns.c.conversation_id == _NEWEST.c.conversation_id),
    )
    .where(
        or_(
            bindparam("b_workspace_id") == "", _NEWEST.c.workspace_id == bindparam("b_workspace_id")
        ),
        turns.c.order_json != b"",
    )
    .order_by(_NEWEST.c.created_us.desc())
    .limit(bindparam("b_limit"))
)


class NewestSqlTurns:
    """See :class:`~antiphon_server.dispatcher.routing_room.NewestTurns`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, workspace_id: str, limit: int) -> Sequence[Turn]:
        """See :meth:`NewestTurns.newest`."""
        at = {"b_workspace_id": workspace_id, "b_limit": limit}
        return await self._database.read(
            lambda it: [turn_of(row) for row in it.execute(_OF_WORKSPACE, at)]
        )
