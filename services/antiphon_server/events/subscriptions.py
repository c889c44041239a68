"""All streams that are open on this node."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager

from antiphon_server.events.log import EventLog
from antiphon_server.events.model import AccessChange
from antiphon_server.events.pacing import Pacing
from antiphon_server.events.ports import Gatekeeper
from antiphon_server.events.subscription import Subscription, verified
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

MAX_STREAMS_PER_USER = 1_000
RECONNECT_AFTER_S = 1.0
DRAIN_S = 3.0


class Subscriptions:
    """Opens streams, finds them again, and reaches all of them.

    A user may have at most ``most``. The port limits how many there may be in all:
    :class:`~antiphon_server.runtime.rpc.limits.Limits`.
    """

    def __init__(self, gatekeeper: Gatekeeper, most: int = MAX_STREAMS_PER_USER) -> None:
        self._gatekeeper = gatekeeper
        self._most = most
        self._pacing = Pacing()
        self._open: dict[Subscription, None] = {}
        self._per_user: dict[UserId, int] = {}
        self._named: dict[tuple[UserId, str], Subscription] = {}
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._draining = False

    @contextmanager
    def open(
        self,
        log: EventLog,
        principal: Principal,
        follow_id: str = "",
        *,
        ends_when_empty: bool = False,
    ) -> Iterator[Subscription]:
        """A stream for as long as the block runs.

        Raises DomainError DRAINING, LIMIT_EXCEEDED, or ALREADY_EXISTS for a
        ``follow_id`` that the user has on another open stream.
        """
        name = (principal.user_id, follow_id)
        self._admit(name)
        subscription = Subscription(
            log, self._gatekeeper, principal, self._pacing, ends_when_empty=ends_when_empty
        )
        self._open[subscription] = None
        self._per_user[name[0]] = self._per_user.get(name[0], 0) + 1
        self._none_left.clear()
        if follow_id:
            self._named[name] = subscription
        try:
            yield subscription
        finally:
            subscription.close()
            self._forget(subscription, name)

    def _admit(self, name: tuple[UserId, str]) -> None:
        if self._draining:
            raise DomainError(Reason.DRAINING, retry_after=RECONNECT_AFTER_S)
        if self._per_user.get(name[0], 0) >= self._most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{self._most} streams a user")
        if name in self._named:
            raise DomainError(Reason.ALREADY_EXISTS, resource=f"follow {name[1]}")

    def _forget(self, subscription: Subscription, name: tuple[UserId, str]) -> None:
        del self._open[subscription]
        self._per_user[name[0]] -= 1
        if not self._per_user[name[0]]:
            del self._per_user[name[0]]
        if self._named.get(name) is subscription:
            del self._named[name]
        if not self._open:
            self._none_left.set()

    def find(self, user_id: UserId, session_id: SessionId, follow_id: str) -> Subscription | None:
        """The open stream of that name, for the session whose token it has.

        A limited credential could else end what its owner follows elsewhere.
        """
        found = self._named.get((user_id, follow_id))
        return found if found and found.principal.session_id == session_id else None

    async def verified(self, caller: Principal, access_token: str) -> Principal | DomainError:
        """Whom a new token of ``caller`` speaks for, or why it is a bad one."""
        return await verified(self._gatekeeper, caller, access_token)

    def access_changed(self, change: AccessChange) -> None:
        """Check again every stream that the change concerns."""
        for subscription in self._open:
            subscription.access_changed(change)

    def session_ended(self, session_id: SessionId) -> None:
        """End the streams of a session that was ended, by whichever process."""
        self.access_changed(AccessChange(session_id=session_id))

    def check_tokens(self) -> None:
        """End the streams of people, whose tokens may not be good any more: they open new ones."""
        for subscription in self._open:
            subscription.check_token()

    async def drain(self) -> None:
        """Open no more and tell all that the server stops.

        Returns when all have ended; those who do not read are not waited for longer than
        3 s: their streams are cut with the server.
        """
        self._draining = True
        for subscription in self._open:
            subscription.drain(RECONNECT_AFTER_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await self._none_left.wait()

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._open)
