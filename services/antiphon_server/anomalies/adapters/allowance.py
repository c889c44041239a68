"""How much of whom is let through, counted where calls are: with all servers that share a Redis."""

from antiphon_server.anomalies.model import Key
from antiphon_server.runtime.limits.rate_guard import RateGuard
from antiphon_server.runtime.limits.rate_limits import Limit

NAME = "throttled"


class GuardAllowance:
    """See :class:`~antiphon_server.anomalies.ports.Allowance`."""

    def __init__(self, guard: RateGuard) -> None:
        self._guard = guard

    def wait(self, key: Key, per_minute: int, count: int = 1) -> float:
        """See :meth:`Allowance.wait`."""
        who = f"{key.parent} {key.detector} {key.subject}"
        return self._guard.spend(Limit(NAME, "principal", per_minute), who, count)
