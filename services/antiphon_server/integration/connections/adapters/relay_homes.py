"""Which of several servers has a relay: its id says so, without telling the server's name."""

import hashlib
import time
from typing import Any

from sqlalchemy import bindparam, select

from antiphon.integration.v1.connection_service_pb2_grpc import ConnectionServiceStub
from antiphon_server.runtime.channels.server_ways import ServerWays, passed_on, was_forwarded
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.errors.wire import remote_errors
from antiphon_server.runtime.nodes import NodeLease, nodes
from antiphon_server.runtime.storage.database import Database

DEADLINE_S = 60.0
RETRY_S = 0.25
MARK = 12
"""Digits of a server's mark, which stands behind `relay_`."""
MOST_KNOWN = 1000
_PREFIX = len("relay_")
_LIVING = select(nodes.c.life, nodes.c.address).where(nodes.c.lease_until_us >= bindparam("now_us"))


class RelayHomes:
    """Makes ids of relays that are here, and hands calls about others to the servers that have
    them: with what their callers brought, and never a second time.
    """

    def __init__(self, database: Database, lease: NodeLease, ways: ServerWays) -> None:
        self._database, self._ways = database, ways
        self._own = _mark(lease.life)
        self._addresses: dict[str, str] = {}

    def named(self) -> str:
        """The id of a new relay of this server."""
        return new_id("relay").replace("_", f"_{self._own}", 1)

    async def done(self, method: str, request: Any, context: Any) -> bool:
        """See :class:`~antiphon_server.integration.relaying.Elsewhere`."""
        mark, brought = request.relay_id[_PREFIX:][:MARK], context.invocation_metadata() or ()
        if mark == self._own:
            return False
        address = None if was_forwarded(brought) else await self._address(mark)
        if address is None:
            raise not_found(f"relay {request.relay_id}")
        if not address:  # it does not listen yet
            raise DomainError(Reason.DRAINING, retry_after=RETRY_S)
        call = getattr(ConnectionServiceStub(await self._ways.to(address)), method)
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
