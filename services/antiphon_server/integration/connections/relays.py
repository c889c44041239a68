"""All relays that are open on this server."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from antiphon_server.integration.connections.connections import Connections
from antiphon_server.integration.connections.forwarding import enabled, sender
from antiphon_server.integration.connections.ports import RelayAccess
from antiphon_server.integration.connections.relay import Relay, Speaker
from antiphon_server.integration.connections.relay_frames import Close, Ended
from antiphon_server.integration.ledger.calls import PricedCalls
from antiphon_server.integration.ledger.entries import Entry, entered
from antiphon_server.integration.ledger.model import Outcome
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.access.principal import Principal, UserId
from antiphon_server.runtime.concurrency.tasks import completed
from antiphon_server.runtime.errors import DomainError, Reason, not_found
from antiphon_server.runtime.limits.shares import Shares
from antiphon_server.runtime.telemetry.structured import structlog

MOST_OF_USER = 16
RECONNECT_AFTER_S = 1.0
DRAIN_S = 3.0
LOOK_S = 0.25
"""How often each is looked at: sessions and roles are answered from memory."""
LOOKS = 4
"""At each of so many the connection is read from the store."""
_SESSION = frozenset({Reason.SESSION_REVOKED, Reason.TOKEN_INVALID, Reason.TOKEN_EXPIRED})
_ACCESS = frozenset({Reason.NOT_FOUND, Reason.PERMISSION_DENIED, Reason.SCOPE_MISSING})
_WELL = frozenset({Close.CANCELLED, Close.CLOSED, Close.EXPIRED})

logger = structlog.get_logger(__name__)


class Relays:
    """Opens and finds relays, looks after each, and ends them all when the server stops.

    ``named`` makes their ids, ``shares`` has everybody's share of this server.
    """

    def __init__(
        self,
        connections: Connections,
        calls: PricedCalls,
        access: RelayAccess,
        named: Callable[[], str],
        shares: Shares,
    ) -> None:
        self._shares = shares
        self._connections, self._calls = connections, calls
        self._access, self._named = access, named
        self._open: dict[str, Relay] = {}
        self._of_user: Counter[UserId] = Counter()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._draining = False

    @asynccontextmanager
    async def open(
        self, speaker: Speaker, workspace_id: str, name: SourceName, limit_s: float
    ) -> AsyncIterator[Relay]:
        """Provide a relay that is open for the duration of the block, at most ``limit_s`` seconds.

        Raises DomainError DRAINING, LIMIT_EXCEEDED, NOT_FOUND, CONNECTION_UNAVAILABLE,
        EGRESS_DENIED, and FORWARD_UNSUPPORTED for a kind that has none.
        """
        with self._admitted(speaker.principal.user_id):
            found = await enabled(self._connections, workspace_id, name)
            async with (
                entered(self._calls, sender(workspace_id), name) as entry,
                found.channel() as socket,
            ):
                actor = speaker.principal.actor
                shares = (self._shares.of(actor), self._shares.of(actor))
                about = (self._named(), found.connection, socket, speaker, limit_s)
                relay = Relay(*about, shares=shares)
                async with self._looked_after(relay, workspace_id, entry):
                    yield relay

    def find(self, principal: Principal, relay_id: str) -> Relay:
        """The open relay of that name, for the session that has it. Raises DomainError NOT_FOUND.

        Otherwise a limited credential could speak by its owner's other ones.
        """
        found = self._open.get(relay_id)
        if found is None or _session(found.speaker.principal) != _session(principal):
            raise not_found(f"relay {relay_id}")
        return found

    async def drain(self) -> None:
        """Refuse new ones, and tell all clients that the server is stopping.

        Returns when all have ended. After 3 s, those whose clients do not read are left to be cut
        with the server.
        """
        self._draining = True
        for relay in self._open.values():
            relay.drain(RECONNECT_AFTER_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._none_left.wait()

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @contextmanager
    def _admitted(self, user_id: UserId) -> Iterator[None]:
        if self._draining:
            raise _draining()
        if self._of_user[user_id] >= MOST_OF_USER:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_USER} relays a user")
        self._of_user[user_id] += 1
        try:
            yield
        finally:
            self._of_user[user_id] -= 1
            if not self._of_user[user_id]:
                del self._of_user[user_id]

    @asynccontextmanager
    async def _looked_after(
        self, relay: Relay, workspace_id: str, entry: Entry
    ) -> AsyncIterator[None]:
        if self._draining:  # since it was admitted
            raise _draining()
        self._open[relay.relay_id] = relay
        self._none_left.clear()
        looking = asyncio.create_task(self._look(relay, workspace_id), name="integration.relay")
        try:
            yield
        finally:
            if relay.ended is not None:
                entry.outcome, entry.reason = _outcome(relay.ended)
            try:
                await completed(_let_go(relay, looking))  # though its client goes just now
            finally:
                del self._open[relay.relay_id]
                if not self._open:
                    self._none_left.set()

    async def _look(self, relay: Relay, workspace_id: str) -> None:
        """End it when its time is over, its speaker may not go on, or its connection is another.

        What is outside learns of any end, whatever the client reads.
        """
        looks = 0
        while relay.ended is None:
            await asyncio.sleep(LOOK_S)
            looks += 1
            relay.look_at_clock()
            principal, token = relay.speaker.principal, relay.speaker.token
            try:
                await self._access.recheck(principal, token, workspace_id)
                if not looks % LOOKS:
                    await self._look_at_connection(relay, workspace_id)
            except DomainError as refused:
                relay.end(Ended(_why(refused), refused))
            except Exception:
                logger.exception("a relay could not be looked after")
                relay.end(
                    Ended(Close.FAILED, DomainError(Reason.INTERNAL, request_id=relay.relay_id))
                )

        await relay.hang_up()

    async def _look_at_connection(self, relay: Relay, workspace_id: str) -> None:
        try:
            found = await self._connections.get(workspace_id, relay.connection.name)
        except DomainError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            relay.end(Ended(Close.CONNECTION_CHANGED, error))
        else:
            if found.connection != relay.connection:
                relay.end(Ended(Close.CONNECTION_CHANGED))


async def _let_go(relay: Relay, looking: asyncio.Task[None]) -> None:
    looking.cancel()
    await asyncio.wait([looking])
    await relay.close()


def _session(principal: Principal) -> tuple[str, str]:
    return principal.user_id, principal.session_id


def _why(error: DomainError) -> Close:
    if error.reason in _SESSION:
        return Close.SESSION_ENDED
    return Close.ACCESS_REMOVED if error.reason in _ACCESS else Close.FAILED


def _outcome(ended: Ended) -> tuple[Outcome, str]:
    """What the ledger has of an end."""
    if ended.reason in _WELL:
        return Outcome.SUCCEEDED, ""
    error = ended.error.reason.value if ended.error is not None else ended.reason.name
    return Outcome.FAILED, error


def _draining() -> DomainError:
    return DomainError(Reason.DRAINING, retry_after=RECONNECT_AFTER_S)
