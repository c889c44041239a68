"""Whether the other servers of the database are there; the lease of one that died is ended."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from antiphon_server.runtime.configuration import host_and_port
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.nodes.lease import NodeLease
from antiphon_server.runtime.nodes.tables import nodes
from antiphon_server.runtime.storage.database import Database

LOOK_S = 0.5
CONNECT_S = 1.0
# Nobody holds the lock of its session, by the name that SessionLock takes: this transaction may.
_SILENT = func.pg_try_advisory_xact_lock_shared(func.hashtextextended(nodes.c.life, 0))
_OTHERS = select(nodes.c.node, nodes.c.life, nodes.c.address, _SILENT.label("silent")).where(
    nodes.c.node != bindparam("own_node"), nodes.c.lease_until_us >= bindparam("now_us")
)
_END = (
    update(nodes)
    .where(nodes.c.node == bindparam("its_node"), nodes.c.life == bindparam("its_life"), _SILENT)
    .values(lease_until_us=bindparam("until_us"))
)

log = logging.getLogger(__name__)


async def listens(address: str) -> bool:
    """Whether anything takes connections there, which a process that stands still does, too."""
    host, port = host_and_port("node_address", address)
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:  # TimeoutError too
        return False
    writer.close()
    return True


@dataclass(frozen=True, slots=True)
class _Other:
    """A server whose lease runs; it is ``silent`` while nobody holds the lock of its session."""

    node: str
    life: str
    address: str
    silent: bool


class Neighbours:
    """Looks twice a second who of the others is there.

    One whose lock of its session (:class:`SessionLock`, by its life) nobody has at two looks, and
    at whose address nothing listens, is dead: its lease ends now. Each of the two alone shows
    nothing: sessions end with Postgres, addresses are cut off. Where both are wrong, late writers
    are kept out by the log. ``is_there`` says whether anything listens at an address. Whenever a
    lease is seen to have ended, the event ``left`` of this server's own ``lease`` is set.
    """

    def __init__(
        self,
        database: Database,
        lease: NodeLease,
        clock: Callable[[], float] = time.time,
        is_there: Callable[[str], Awaitable[bool]] = listens,
    ) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._is_there = is_there
        self._living: Mapping[str, _Other] = {}
        self._silent: Mapping[str, _Other] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except DomainError as error:
                self._silent = {}  # whoever was silent may have had the same trouble
                log.debug("the other servers are not known: %s", error.reason)

    async def look(self) -> None:
        """See who is there, and who was a look ago."""
        now_us = int(self._clock() * 1e6)
        bound = {"own_node": self._lease.node, "now_us": now_us}
        found = await self._database.read(
            lambda it: [_Other(*row) for row in it.execute(_OTHERS, bound)], snapshot=False
        )
        living = {it.life: it for it in found}
        silent = {it.life: it for it in found if it.silent and it.address}
        suspects = [it for life, it in silent.items() if life in self._silent]
        there = await asyncio.gather(*(self._is_there(it.address) for it in suspects))
        for other in (it for it, is_there in zip(suspects, there, strict=True) if not is_there):
            if await self._end(other, now_us):
                del living[other.life]
        if self._living.keys() - living.keys():
            self._lease.left.set()
        self._living, self._silent = living, silent

    async def _end(self, other: _Other, now_us: int) -> bool:
        """End its lease as if it had not been renewed, unless its session is back; whether so."""
        until_us = now_us - self._lease.length_us
        bound = {"its_node": other.node, "its_life": other.life, "until_us": until_us}

        def work(connection: Connection) -> bool:
            return bool(connection.execute(_END, bound).rowcount)

        ended = await self._database.write(work)
        if ended:
            log.warning(
                "server %s at %s is dead: its work is taken over", other.node, other.address
            )
        return ended
