"""Turns in a SQL database that several servers share."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, not_, or_, select

from antiphon_server.dispatcher.adapters.row import turn_of
from antiphon_server.dispatcher.adapters.sql import SqlTurnStore
from antiphon_server.dispatcher.adapters.sql_lanes import (
    forget_lanes,
    lease_turns,
    own_lanes,
    take_lanes,
)
from antiphon_server.dispatcher.adapters.tables import turns
from antiphon_server.dispatcher.model import State, Turn
from antiphon_server.runtime.nodes import alive

MOST_AT_ONCE = 500
_ORPHANS = (
    select(turns)
    .where(
        turns.c.state < State.SUCCEEDED,
        or_(
            turns.c.lease_until_us < bindparam("b_now_us"),
            turns.c.node == bindparam("b_own"),
            not_(alive(turns.c.node)),
        ),
    )
    .order_by(turns.c.created_us, turns.c.turn_id)
    .limit(MOST_AT_ONCE)
    .with_for_update(skip_locked=True)
)


class SharedTurnStore(SqlTurnStore):
    """A :class:`~antiphon_server.dispatcher.ports.TurnStore` for servers on one database.

    A turn goes to the server that has its conversation's lane, or gets it with the turn.
    """

    async def claim(self, node: str, now_us: int, until_us: int, *, own: bool) -> Sequence[Turn]:
        def work(connection: Connection) -> list[Turn]:
            bound = {"b_now_us": now_us, "alive_us": now_us, "b_own": node if own else ""}
            found = [turn_of(row) for row in connection.execute(_ORPHANS, bound)]
            if own:
                forget_lanes(connection, now_us)
            conversations = {turn.conversation_id for turn in found}
            if not found:
                return []
            take_lanes(connection, node, conversations, now_us)
            ours = own_lanes(connection, node, conversations)
            claimed = [turn for turn in found if turn.conversation_id in ours]
            return lease_turns(connection, node, claimed, until_us)

        return await self._database.write(work)
