"""What to do when a stream breaks: try again, and when, or give up."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import grpc

from antiphon_client.backoff import Backoff
from antiphon_client.errors import AntiphonError, Unauthenticated, Untrusted
from antiphon_client.tokens import TokenSource

_STEADY_S = 5.0
_RESUMABLE_REASONS = frozenset(
    {"OVERLOADED", "DRAINING", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "STORE_UNAVAILABLE"}
)
# What the transport says, in its own words, when a connection breaks.
_RESUMABLE_CODES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class Connection:
    """How a stream's connection is: ``error`` and the pause in seconds while it is waiting.

    ``silent`` is one that stands, and on which nothing comes though something should.
    """

    state: Literal["connecting", "connected", "silent", "waiting"]
    error: AntiphonError | None = None
    pause: float = 0.0


def ignore_connection(connection: Connection) -> None:
    """Tell nobody."""


def is_resumable(error: AntiphonError) -> bool:
    """Whether the same stream may be opened again."""
    if isinstance(error, Untrusted):
        return False
    if error.reason:
        return error.reason in _RESUMABLE_REASONS
    return error.code in _RESUMABLE_CODES


class Redial:
    """The memory of one stream's connections.

    Gives up after ``give_up_after`` seconds without one that worked.
    """

    def __init__(
        self,
        tokens: TokenSource,
        give_up_after: float,
        on_connection: Callable[[Connection], None] = ignore_connection,
    ) -> None:
        self._tokens = tokens
        self._give_up_after = give_up_after
        self._tell = on_connection
        self._backoff = Backoff()
        self._began = self._worked = time.monotonic()
        self._hold = 0.0
        self._was_refused = False

    def connecting(self) -> None:
        """A try begins."""
        self._began = time.monotonic()
        self._tell(Connection("connecting"))

    def connected(self) -> None:
        """The server took us in."""
        self._was_refused = False
        self._tell(Connection("connected"))
        self._backoff.ease()
        self._worked = time.monotonic()

    def progressed(self) -> None:
        """Something came of it, so the next break is a new one."""
        self._worked = time.monotonic()
        self._backoff.reset()

    def silent(self) -> None:
        """The server does not answer, and may be gone."""
        self._tell(Connection("silent"))

    def audible(self) -> None:
        """It answers after all."""
        self._tell(Connection("connected"))

    def hold(self, seconds: float) -> None:
        """The server asked to be left alone for a while."""
        self._hold = max(self._hold, seconds)

    async def pause(self, error: AntiphonError, *, at_once: bool = False) -> None:
        """Wait for the next try, which may come ``at_once`` unless the server says when.

        Raises ``error`` if there shall be none.
        """
        now = time.monotonic()
        if isinstance(error, Unauthenticated):
            self._refused_once(error)
        elif not is_resumable(error) or now - self._worked > self._give_up_after:
            raise error
        if self._worked >= self._began and now - self._began > _STEADY_S:
            self._backoff.reset()
        own = 0.0 if at_once else self._backoff.next()
        pause = own + max(self._hold, error.retry_after or 0.0)
        self._hold = 0.0
        self._tell(Connection("waiting", error, pause))
        await asyncio.sleep(pause)

    def _refused_once(self, error: Unauthenticated) -> None:
        final = error.reason == "CREDENTIALS_INVALID" or not self._tokens.renewable
        if final or self._was_refused:
            raise error
        self._was_refused = True
