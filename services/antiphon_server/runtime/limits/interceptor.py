"""Lets a call through only if its caller does not make too many."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.limits.counted_calls import CountedCalls
from antiphon_server.runtime.limits.rate_counters import RateCounters
from antiphon_server.runtime.limits.rate_limits import Limit, RateLimits, Scope
from antiphon_server.runtime.net.addresses import LOCAL, current_address, on_this_machine
from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor

Refused = Callable[[Method, Limit, str], None]
"""Told of a call that was refused: its method, the limit, and whose limit it is."""


class Refusals:
    """Counts refused calls for a prometheus_client registry, and tells a listener of each."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._listener: Refused | None = None

    def listen(self, listener: Refused) -> None:
        """Tell ``listener`` from now on, within the refused call; it must not wait."""
        self._listener = listener

    def count(self, method: Method, limit: Limit, who: str) -> None:
        """Somebody is at a limit."""
        self._counts[limit.name, limit.scope] += 1
        if self._listener is not None:
            self._listener(method, limit, who)

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily

        refused = CounterMetricFamily(
            "antiphon_rate_limited", "Calls refused as too many.", labels=["limit", "scope"]
        )
        for labels, count in list(self._counts.items()):
            refused.add_metric(labels, count)
        yield refused


class RateLimitInterceptor(MethodInterceptor):
    """Counts each call of a method against its limits, of addresses or of principals.

    Those of addresses stand before authentication, so that a flood costs little; those of
    principals right after it. Calls within the process are not counted, nor are those of this
    machine's own addresses unless there may be a proxy on it, nor those of this installation's
    parts, nor those that another server of it has ``counted``. A stream counts when it is
    opened. Raises RATE_LIMITED.
    """

    def __init__(
        self,
        scope: Scope,
        limits: RateLimits,
        counters: RateCounters,
        refusals: Refusals,
        *,
        behind_proxy: bool = False,
        counted: CountedCalls | None = None,
    ) -> None:
        super().__init__()
        self._scope: Scope = scope
        address = current_address if behind_proxy else _address_elsewhere
        self._who = address if scope == "address" else _principal
        self._limits = limits
        self._counters = counters
        self._refusals = refusals
        self._counted = counted

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class."""
        limits = self._limits.of(self._scope, method)
        if not limits:
            return inner
        spend, refusals, who_of = self._counters.spend, self._refusals, self._who
        counted = self._counted

        async def call(request: Any, context: Context) -> Any:
            if context.peer() == LOCAL or not (who := who_of()):
                return await inner(request, context)
            if counted is None or not counted.known(context.invocation_metadata() or ()):
                for limit in limits:
                    if wait := spend(limit, who):
                        refusals.count(method, limit, who)
                        raise _too_many(limit, wait)
            return await inner(request, context)

        return call


def _address_elsewhere() -> str:
    address = current_address()
    return "" if on_this_machine(address) else address


def _principal() -> str:
    principal = current_principal()
    if principal.kind == "service":
        return ""
    return principal.user_id or (principal.actor if principal.grant else "")


def _too_many(limit: Limit, wait: float) -> DomainError:
    return DomainError(Reason.RATE_LIMITED, retry_after=wait, limit=limit.name, scope=limit.scope)
