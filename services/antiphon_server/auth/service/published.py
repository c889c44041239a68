"""What a provider publishes: fetched seldom, kept through outages."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from antiphon_server.auth.ports import Clock
from antiphon_server.auth.ports.identity_providers import LeftAlone, Unanswered
from antiphon_server.runtime.concurrency.completion import Completion

T = TypeVar("T")
PAUSE_S = 30.0
RENEWED_AFTER_S = 3600.0
KEPT_S = 86_400.0

log = logging.getLogger(__name__)


class Published(Generic[T]):
    """A document: fetched when it is first needed, when it is ``renewed_after`` seconds old, and
    when it lacks what is wanted; but in ``pause`` seconds once, however many ask and however they
    end.

    If it can't be fetched, the old one serves until it is ``kept`` seconds old. One that a clock
    fetched that ran ahead may be of any age: it counts as too old.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[T]],
        completion: Completion,
        clock: Clock,
        pause: float = PAUSE_S,
        renewed_after: float = RENEWED_AFTER_S,
        kept: float = KEPT_S,
    ) -> None:
        self._fetch = fetch
        self._completion = completion
        self._clock = clock
        self._pause, self._renewed_after, self._kept = pause, renewed_after, kept
        self._fetching = asyncio.Lock()
        self._tried_at: float | None = None
        self._fetched_at = 0.0
        self._value: T | None = None

    async def get(self, wanted: Callable[[T], bool] = lambda _: True) -> T:
        """The document; it may lack what is wanted even so. Raises Unanswered."""
        value = self._value
        good = value is not None and wanted(value)
        # Whoever has what they want need not wait for another's renewal.
        if not good or (self.older_than(self._renewed_after) and not self._fetching.locked()):
            await self._completion.run(self._renew())
        if self._value is None or self.older_than(self._kept):
            raise Unanswered("what it publishes could not be fetched")
        return self._value

    def older_than(self, seconds: float) -> bool:
        """Whether it was last fetched longer ago, or never."""
        return not 0 <= self._clock() - self._fetched_at <= seconds

    async def _renew(self) -> None:
        async with self._fetching:
            if self._tried_at is not None and 0 <= self._clock() - self._tried_at < self._pause:
                return
            tried_before, self._tried_at = self._tried_at, self._clock()
            try:
                self._value = await self._fetch()
            except LeftAlone:
                self._tried_at = tried_before
                return
            except Unanswered as error:
                log.warning("an identity provider fails: %s", error)
                return
            self._fetched_at = self._clock()
