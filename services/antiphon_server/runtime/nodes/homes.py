"""Which of several servers has a stream: its id says so, without telling the server's name."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import grpc
from sqlalchemy import bindparam, select

from antiphon_server.runtime.channels.server_ways import ServerWays, passed_on, was_forwarded
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.nodes.lease import NodeLease
from antiphon_server.runtime.nodes.tables import nodes
from antiphon_server.runtime.storage.database import Database

DEADLINE_S = 60.0
RETRY_S = 0.25
MARK = 12
"""Digits of a server's mark, which stands behind the kind, as in `relay_`."""
MOST_KNOWN = 1000
_LIVING = select(nodes.c.life, nodes.c.address).where(nodes.c.lease_until_us >= bindparam("now_us"))


class Homes:
    """Makes ids of streams of a ``kind`` that are here, and hands calls about others to the servers
    that have them: with what their callers brought, and never a second time.

    Requests have the id in a field of the kind's name and `_id`; ``stub`` makes their calls.
    """

    def __init__(
        self,
        kind: str,
        stub: Callable[[grpc.aio.Channel], Any],
        database: Database,
        lease: NodeLease,
        ways: ServerWays,
    ) -> None:
        self._kind, self._stub = kind, stub
        self._database, self._ways = database, ways
        self._own = _mark(lease.life)
        self._addresses: dict[str, str] = {}

    def named(self) -> str:
        """The id of a new stream of this server."""
        return new_id(self._kind).replace("_", f"_{self._own}", 1)

    async def done(self, method: str, request: Any, context: Any) -> bool:
        """Whether another server has the stream, and has done what the call asks.

        Raises DomainError NOT_FOUND, DRAINING, and what that server answers.
        """
        stream_id = getattr(request, f"{self._kind}_id")
        mark = stream_id.partition("_")[2][:MARK]
        brought = context.invocation_metadata() or ()
        if mark == self._own:
            return False
        address = None if was_forwarded(brought) else await self._address(mark)
        if address is None:
            raise not_found(f"{self._kind} {stream_id}")
        if not address:  # it does not listen yet
            raise DomainError(Reason.DRAINING, retry_after=RETRY_S)
        call = getattr(self._stub(await self._ways.to(address)), method)
        try:
            with remote_errors():
                await call(request, metadata=passed_on(tuple(brought)), timeout=DEADLINE_S)
        except DomainError as error:
            if error.reason is Reason.DRAINING:
                self._addresses.pop(mark, None)  # it may be gone for good
            raise
        return True

    async def close(self) -> None:
        """Close the ways to other servers."""
        await self._ways.close()

    async def _address(self, mark: str) -> str | None:
        """Where the server of that mark listens; None if none lives that has it."""
        known = self._addresses.get(mark)
        if known:
            return known
        bound = {"now_us": time.time_ns() // 1000}
        found = await self._database.read(
            lambda it: [(life, address) for life, address in it.execute(_LIVING, bound)]
        )
        living = {_mark(life): address for life, address in found}
        self._addresses = dict(list(living.items())[:MOST_KNOWN])
        return living.get(mark)


def _mark(life: str) -> str:
    return hashlib.sha256(life.encode()).hexdigest()[:MARK]
