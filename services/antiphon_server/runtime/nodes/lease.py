"""This server's lease: while it runs, nobody takes over its work."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from sqlalchemy import Connection, Executable, bindparam, delete, select, update

from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.nodes.name import LEASE_S
from antiphon_server.runtime.nodes.tables import nodes
from antiphon_server.runtime.storage.database import Database
from antiphon_server.runtime.storage.statements import PreparedInsert

KEPT_S = 7 * 86_400.0
"""A server that stood still for longer finds its row gone, and has to be started again."""
_COPIED = (
    "another server uses the name {node}: its data folder is a copy of this one's. Remove the file "
    "`node` in one of them"
)
_FORGOTTEN = (
    "the other servers have forgotten {node}, which stood still for more than {days:g} days. Start "
    "it again"
)
_BEGIN = PreparedInsert(
    nodes,
    " ON CONFLICT (node) DO UPDATE SET life = excluded.life, address = excluded.address, "
    "lease_until_us = excluded.lease_until_us",
)
_OWN = (nodes.c.node == bindparam("own_node"), nodes.c.life == bindparam("own_life"))
_UNTIL = select(nodes.c.lease_until_us).where(*_OWN).with_for_update()
_RENEW = update(nodes).where(*_OWN).values(lease_until_us=bindparam("until_us"))
_FIND = select(nodes).where(nodes.c.node == bindparam("own_node"))
_ANNOUNCE = update(nodes).where(*_OWN).values(address=bindparam("new_address"))
_LIVING = select(nodes.c.node).where(nodes.c.lease_until_us >= bindparam("now_us"))
_OTHERS = select(nodes.c.life, nodes.c.address).where(
    nodes.c.node != bindparam("own_node"), nodes.c.lease_until_us >= bindparam("now_us")
)
_FORGET = delete(nodes).where(nodes.c.lease_until_us < bindparam("before_us"))
_END = delete(nodes).where(*_OWN)

log = logging.getLogger(__name__)


class NameTaken(Exception):
    """The server's place is another's, or nobody's; the message says what to do."""


class NodeLease:
    """Keeps the row of ``node``. ``term`` counts how often the lease ran out unnoticed before,
    or was ended by others, who took this server for dead.

    What was known to be this server's in one term may be another's in the next. ``left`` is set
    when another server's lease has ended: who may want its work waits for that, and clears it.
    """

    def __init__(
        self,
        database: Database,
        node: str,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.node = node
        self.term = 0
        self.left = asyncio.Event()
        self.life = secrets.token_hex(8)
        self._database = database
        self._lease_s = lease_s
        self._clock = clock
        self._held_until = 0.0
        self._until_us = 0

    @property
    def length_us(self) -> int:
        """How long it runs when it is renewed."""
        return int(self._lease_s * 1e6)

    @property
    def held(self) -> bool:
        """Whether nobody can have taken over yet, by either clock: the one may be set."""
        return time.monotonic() < self._held_until and self._now_us() <= self._until_us

    async def begin(self, address: str = "") -> None:
        """Take the row, also from an earlier life that ended a moment ago.

        If that one was at another ``address`` it may live, and this be a copy: then its lease is
        waited for. Rows of servers that were gone for ``KEPT_S`` go: each new data folder makes
        one. Raises NameTaken.
        """
        first = lives_until = await self._taken(address)
        while lives_until:
            await asyncio.sleep(
                min(self._lease_s / 10, (lives_until - self._now_us()) / 1e6 + 0.01)
            )
            lives_until = await self._taken(address)
            if lives_until > first:
                raise NameTaken(_COPIED.format(node=self.node))

    async def _taken(self, address: str) -> int:
        """Take the row, and return 0; or until when another one may have it."""
        began, now_us = time.monotonic(), self._now_us()
        until_us = now_us + self.length_us
        row = {"node": self.node, "life": self.life, "address": "", "lease_until_us": until_us}
        before_us = now_us - int(KEPT_S * 1e6)

        def work(connection: Connection) -> int:
            there = connection.execute(_FIND, {"own_node": self.node}).first()
            if there and _elsewhere(there.address, address) and there.lease_until_us >= now_us:
                return int(there.lease_until_us)
            connection.execute(_FORGET, {"before_us": before_us})
            _BEGIN.run(connection, [row])
            return 0

        lives_until = await self._database.write(work)
        if not lives_until:
            self._held_until, self._until_us = began + self._lease_s, until_us
        return lives_until

    async def announce(self, address: str) -> None:
        """Say where others reach this server."""
        await self._write(_ANNOUNCE, new_address=address)

    async def renew(self) -> None:
        """Extend the lease. Raises NameTaken."""
        began, until_us = time.monotonic(), self._now_us() + self.length_us
        bound = {"own_node": self.node, "own_life": self.life, "until_us": until_us}

        def work(connection: Connection) -> int | None:
            """Until when it ran in the store."""
            ran_until: int | None = connection.execute(_UNTIL, bound).scalar()
            connection.execute(_RENEW, bound)
            return ran_until

        ran_until = await self._database.write(work)
        if ran_until is None:
            raise NameTaken(await self._why_lost())
        if not self.held or ran_until < self._until_us:
            self.term += 1
        self._held_until, self._until_us = began + self._lease_s, until_us

    async def _why_lost(self) -> str:
        bound = {"own_node": self.node}
        there = await self._database.read(lambda it: it.execute(_FIND, bound).first())
        return (_COPIED if there else _FORGOTTEN).format(node=self.node, days=KEPT_S / 86_400)

    async def run(self) -> None:
        """Renew three times within the lease, until cancelled. Raises NameTaken."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                await self.renew()
            except DomainError as error:
                log.warning("the server's lease could not be renewed: %s", error.reason)

    async def living(self) -> frozenset[str]:
        """The names of all servers whose leases run."""
        bound = {"now_us": self._now_us()}
        return await self._database.read(
            lambda connection: frozenset(connection.scalars(_LIVING, bound))
        )

    async def others(self) -> dict[str, str]:
        """Where the other servers listen whose leases run, by their lives; "" for not yet."""
        bound = {"now_us": self._now_us(), "own_node": self.node}
        return await self._database.read(
            lambda it: {row.life: row.address for row in it.execute(_OTHERS, bound)}
        )

    async def end(self) -> None:
        """Give the row up: others may take over at once."""
        self._held_until = 0.0
        try:
            await self._write(_END)
        except DomainError as error:
            log.warning("the server's lease runs out by itself: %s", error.reason)

    async def _write(self, statement: Executable, **values: object) -> int:
        bound = {"own_node": self.node, "own_life": self.life, **values}
        return await self._database.write(
            lambda connection: int(connection.execute(statement, bound).rowcount)
        )

    def _now_us(self) -> int:
        return int(self._clock() * 1e6)


def _elsewhere(theirs: str, ours: str) -> bool:
    """Whether those are two addresses; "" is none."""
    return bool(theirs and ours) and theirs != ours
