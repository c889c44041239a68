"""What those need who verify access tokens elsewhere: the keys, and the ends of sessions."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from antiphon_server.auth.model import SECOND
from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.endings import EndingStore
from antiphon_server.auth.service.clock import micros
from antiphon_server.auth.service.liveness import Liveness
from antiphon_server.auth.service.signing_keys import SigningKey, SigningKeys
from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.errors import DomainError, Reason

LOOK_S = 0.25
"""How often a follower's turn comes to compare the keys, which are in memory."""
BEAT_S = 1.0
PAGE = 1_000
MOST = 256
MARGIN_S = 60
"""By how much clocks may differ."""


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of the feed; ``keys`` is None while they are what they were."""

    ended: Sequence[SessionId]
    position: int
    keys: Sequence[SigningKey] | None
    up_to_date: bool


class SessionFeed:
    """Tells up to ``most`` followers.

    The store is read when a session has ended, and every ``BEAT_S`` seconds.
    """

    def __init__(
        self,
        endings: EndingStore,
        keys: SigningKeys,
        liveness: Liveness,
        clock: Clock,
        longest_life: int,
        most: int = MOST,
    ) -> None:
        self._endings = endings
        self._keys = keys
        self._now = micros(clock)
        self._life = (longest_life + MARGIN_S) * SECOND
        self._bells: set[asyncio.Event] = set()
        self._most = most
        self._draining = False
        liveness.on_end(self._ring)

    async def follow(self, after: int | None) -> AsyncGenerator[Page, None]:
        """From a position on, or with all that a valid token could be of; until it is closed.

        Raises DomainError LIMIT_EXCEEDED, DRAINING, STORE_UNAVAILABLE.
        """
        if len(self._bells) >= self._most:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{self._most} followers a server")
        bell, told = asyncio.Event(), frozenset[str]()
        self._bells.add(bell)
        try:
            position = after
            while True:
                bell.clear()
                position = await self._behind(position)
                found = await self._endings.after(position, PAGE)
                position = found[-1].position if found else position
                keys = self._keys.valid()
                changed = None if _ids(keys) == told else keys
                told = _ids(keys)
                ended = [one.session_id for one in found]
                yield Page(ended, position, changed, up_to_date=len(found) < PAGE)
                if len(found) < PAGE:
                    await self._something(bell, told)
        finally:
            self._bells.discard(bell)

    async def _behind(self, after: int | None) -> int:
        """What the follower knows; if that was another history, the place before all that counts.

        The store may have become another one since the follower was told something, too.
        """
        if after is not None and after <= await self._endings.last():
            return after
        return await self._endings.before(self._now() - self._life)

    async def _something(self, bell: asyncio.Event, told: frozenset[str]) -> None:
        """Return when something is to be told, or nothing was for a while."""
        for _ in range(int(BEAT_S / LOOK_S)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await bell.wait()
            if self._draining:
                raise DomainError(Reason.DRAINING, retry_after=1.0)
            if bell.is_set() or _ids(self._keys.valid()) != told:
                return

    def drain(self) -> None:
        """End all: the server stops."""
        self._draining = True
        for bell in self._bells:
            bell.set()

    def _ring(self, _session: SessionId) -> None:
        for bell in self._bells:
            bell.set()


def _ids(keys: Sequence[SigningKey]) -> frozenset[str]:
    return frozenset(key.kid for key in keys)
