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
from antiphon_server.runtime.limits.shares import Shares

RECONNECT_AFTER_S = 1.0
DRAIN_S = 3.0


class Subscriptions:
    """Opens and finds streams, and notifies all of them.

    The settings of ``shares`` say how many a user may have. The port limits the total:
    :class:`~antiphon_server.runtime.rpc.limits.Limits`.
    """

    def __init__(self, gatekeeper: Gatekeeper, shares: Shares) -> None:
        self._gatekeeper = gatekeeper
        self._shares = shares
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
        """Provide a stream that is open for the duration of the block.

        Raises DomainError DRAINING, LIMIT_EXCEEDED, or ALREADY_EXISTS for a ``follow_id`` that the
        user has on another open stream.
        """
        name = (principal.user_id, follow_id)
        self._admit(name)
        subscription = Subscription(
            log,
            self._gatekeeper,
            principal,
            self._pacing,
            ends_when_empty=ends_when_empty,
            share=self._shares.of(principal.actor),
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
        most = self._shares.settings.most_streams_of(name[0])
        if self._per_user.get(name[0], 0) >= most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{most} streams a user")
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
        """The open stream with that name, for the session that opened it.

        Otherwise a limited credential could end its owner's other streams.
        """
        found = self._named.get((user_id, follow_id))
        return found if found and found.principal.session_id == session_id else None

    async def verified(self, caller: Principal, access_token: str) -> Principal | DomainError:
        """The principal of a new token of ``caller``, or the reason it is invalid."""
        return await verified(self._gatekeeper, caller, access_token)

    def access_changed(self, change: AccessChange) -> None:
        """Check access again on every stream that the change concerns."""
        for subscription in self._open:
            subscription.access_changed(change)

    def session_ended(self, session_id: SessionId) -> None:
        """End the streams of a session, whichever process ended it."""
        self.access_changed(AccessChange(session_id=session_id))

    def check_tokens(self) -> None:
        """End all streams of people, because tokens may have become invalid; clients reconnect."""
        for subscription in self._open:
            subscription.check_token()

    async def drain(self) -> None:
        """Refuse new streams, and tell all clients that the server is stopping.

        Returns when all streams have ended. After 3 s, the streams of clients that do not read are
        left to be cut with the server.
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
