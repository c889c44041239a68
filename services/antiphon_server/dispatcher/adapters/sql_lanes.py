"""Which of several servers has which conversation's lane, in the database that they share."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    delete,
    exists,
    not_,
    select,
    tuple_,
    update,
)

from antiphon_server.dispatcher.adapters.row import turn_of
from antiphon_server.dispatcher.adapters.tables import lanes, turns
from antiphon_server.dispatcher.model import ConversationId, Place, State, Turn
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes import NodeLease, alive, nodes
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert

MOST_KNOWN = 10_000
_THESE = lanes.c.conversation_id.in_(bindparam("conversation_ids", expanding=True))
_TAKE = (
    update(lanes)
    .where(_THESE, lanes.c.node != bindparam("new_node"), not_(alive(lanes.c.node)))
    .values(node=bindparam("new_node"))
)
_ADD = PreparedInsert(lanes, " ON CONFLICT DO NOTHING")
_OWN = select(lanes.c.conversation_id).where(_THESE, lanes.c.node == bindparam("new_node"))
_OWNER = (
    select(lanes.c.node, nodes.c.address)
    .outerjoin(nodes, nodes.c.node == lanes.c.node)
    .where(lanes.c.conversation_id == bindparam("conversation_id"))
)
_UNFINISHED = exists().where(
    turns.c.conversation_id == lanes.c.conversation_id, turns.c.state < State.SUCCEEDED
)
_OWNED = _OWNER.add_columns(_UNFINISHED.label("unfinished"))
_LEFT = (
    select(turns)
    .where(
        turns.c.conversation_id == bindparam("conversation_id"),
        turns.c.state < State.SUCCEEDED,
        exists().where(
            lanes.c.conversation_id == turns.c.conversation_id,
            lanes.c.node == bindparam("own_node"),
        ),
    )
    .order_by(turns.c.created_us, turns.c.turn_id)
    .with_for_update()
)
_LEASE = (
    update(turns)
    .where(tuple_(turns.c.turn_id, turns.c.conversation_id).in_(bindparam("keys", expanding=True)))
    .values(node=bindparam("new_node"), lease_until_us=bindparam("until_us"))
)
_LIVES = nodes.c.lease_until_us >= bindparam("alive_us", type_=BigInteger)
_FIND = _OWNER.add_columns(_LIVES.label("lives"), _UNFINISHED.label("unfinished"))
_FORGET = delete(lanes).where(not_(alive(lanes.c.node)), not_(_UNFINISHED))


def take_lanes(
    connection: Connection, node: str, conversation_ids: Collection[str], now_us: int
) -> None:
    """Make those lanes ``node``'s that nobody has, or whose servers are gone."""
    # New ones are added in one order, so that two servers don't wait for each other. Those that
    # are taken over are locked as Postgres finds them: of two in a circle one is run again.
    ordered = sorted(conversation_ids)
    bound = {"conversation_ids": ordered, "new_node": node, "alive_us": now_us}
    connection.execute(_TAKE, bound)
    _ADD.run(connection, [{"conversation_id": it, "node": node} for it in ordered])


def forget_lanes(connection: Connection, now_us: int) -> None:
    """Take away those of servers that are gone and have left nothing to do."""
    connection.execute(_FORGET, {"alive_us": now_us})


def own_lanes(connection: Connection, node: str, conversation_ids: Collection[str]) -> set[str]:
    """Those of the conversations whose lanes are ``node``'s."""
    bound = {"conversation_ids": list(conversation_ids), "new_node": node}
    return set(connection.execute(_OWN, bound).scalars())


def lease_turns(
    connection: Connection, node: str, found: Sequence[Turn], until_us: int
) -> list[Turn]:
    """Lease locked turns to ``node``; returns them so."""
    if found:
        keys = [(turn.turn_id, turn.conversation_id) for turn in found]
        connection.execute(_LEASE, {"keys": keys, "new_node": node, "until_us": until_us})
    return [replace(turn, node=node, lease_until_us=until_us) for turn in found]


class SqlLaneOwners:
    """A :class:`~antiphon_server.dispatcher.ports.LaneOwners` for servers on one database.

    A lane is its server's as long as that one's lease runs; what this server has is known
    without asking. The turns in a lane that was not known go to ``adopt``, leased for ``lease_s``.
    """

    def __init__(
        self,
        database: Database,
        lease: NodeLease,
        adopt: Callable[[Sequence[Turn]], object],
        lease_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._lease = lease
        self._adopt = adopt
        self._lease_s = lease_s
        self._clock = clock
        self._known: OrderedDict[ConversationId, None] = OrderedDict()
        self._term = lease.term

    async def place(self, conversation_id: ConversationId) -> Place:
        if not self._lease.held:
            raise DomainError(Reason.DRAINING, retry_after=1.0)
        if self._is_known(conversation_id):
            return Place(ours=True)
        term = self._lease.term
        found, left = await self._database.write(lambda it: self._take(it, conversation_id))
        if found.ours:
            if left:  # cancelled before they are adopted, this is no known lane: they come again
                self._adopt(await self._database.write(lambda it: self._claim(it, conversation_id)))
            self._know(conversation_id, term)
        return found

    async def find(self, conversation_id: ConversationId) -> Place | None:
        if self._lease.held and self._is_known(conversation_id):
            return Place(ours=True)
        bound = {"conversation_id": conversation_id, "alive_us": self._now_us()}
        row = await self._database.read(lambda it: it.execute(_FIND, bound).one_or_none())
        if row is None or not (row.lives or row.unfinished):
            return None
        ours = row.node == self._lease.node
        if row.unfinished and (ours or not row.lives):
            return await self.place(conversation_id)
        return Place(ours, row.address or "")

    def _is_known(self, conversation_id: ConversationId) -> bool:
        """Whether the lane is this server's, as it was when the lease was taken last."""
        if self._term != self._lease.term:
            self._known.clear()
            self._term = self._lease.term
        return conversation_id in self._known

    def _know(self, conversation_id: ConversationId, term: int) -> None:
        """Note a lane that was taken in that term of the lease."""
        if self._lease.held and self._term == term == self._lease.term:
            self._known[conversation_id] = None
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)

    def _take(self, connection: Connection, conversation_id: ConversationId) -> tuple[Place, bool]:
        """Take the lane if it is free; returns who has it, and whether turns are in it."""
        node = self._lease.node
        take_lanes(connection, node, [conversation_id], self._now_us())
        owner = connection.execute(_OWNED, {"conversation_id": conversation_id}).one()
        return Place(owner.node == node, owner.address or ""), owner.unfinished

    def _claim(self, connection: Connection, conversation_id: ConversationId) -> list[Turn]:
        """Lease to this server what has not ended in its lane, whoever had it."""
        bound = {"conversation_id": conversation_id, "own_node": self._lease.node}
        found = [turn_of(row) for row in connection.execute(_LEFT, bound)]
        until_us = self._now_us() + int(self._lease_s * 1e6)
        return lease_turns(connection, self._lease.node, found, until_us)
