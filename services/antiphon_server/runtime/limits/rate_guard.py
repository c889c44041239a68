"""The rate limits of a server, put together: counters, interceptors, metrics."""

from collections.abc import Sequence
from typing import Any

from antiphon_server.runtime.limits.counted_calls import CountedCalls
from antiphon_server.runtime.limits.interceptor import (
    RateLimitInterceptor,
    Refusals,
    Refused,
)
from antiphon_server.runtime.limits.rate_counters import MemoryCounters, RateCounters
from antiphon_server.runtime.limits.rate_limits import Limit, RateLimits, Scope
from antiphon_server.runtime.limits.shared_rate_counters import SharedCounters
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.storage.redis import Redis


class RateGuard:
    """Applies ``limits``; with ``redis`` all servers that share it count together.

    Behind a proxy that may be on this machine, its own addresses are limited, too.
    """

    def __init__(
        self, limits: RateLimits, redis: Redis | None = None, *, behind_proxy: bool = False
    ) -> None:
        memory = MemoryCounters()
        self._limits = limits
        self._redis = redis
        self._behind_proxy = behind_proxy
        self._shared = SharedCounters(memory, redis) if redis and limits.enabled else None
        self._counters: RateCounters = self._shared or memory
        self._refusals = Refusals()

    def interceptor(
        self, scope: Scope, counted: CountedCalls | None = None
    ) -> RateLimitInterceptor:
        """The interceptor that counts addresses, or the one that counts principals.

        It leaves out what other servers have ``counted``.
        """
        return RateLimitInterceptor(
            scope,
            self._limits,
            self._counters,
            self._refusals,
            behind_proxy=self._behind_proxy,
            counted=counted,
        )

    def spend(self, limit: Limit, who: str, count: int = 1) -> float:
        """Count something else than a call, as calls are: see :meth:`RateCounters.spend`."""
        return self._counters.spend(limit, who, count)

    def listen(self, listener: Refused) -> None:
        """Tell ``listener`` of every refused call, within it."""
        self._refusals.listen(listener)

    def start(self, lifecycle: Lifecycle) -> None:
        """Count together with others from now on."""
        if self._shared is not None:
            lifecycle.spawn("rate limits", self._shared.run(), vital=False)

    @property
    def collectors(self) -> Sequence[Any]:
        """What prometheus_client reads."""
        return [self._refusals, *([self._redis] if self._redis else [])]
