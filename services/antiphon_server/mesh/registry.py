"""Who is where, as long as they say so: leases in memory."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from antiphon_server.mesh.instances import Announced, Key, Registered
from antiphon_server.mesh.recent_rates import Recent
from antiphon_server.runtime.errors import DomainError, Reason

RENEW_S = 0.5
LEASE_S = 1.5
SWEEP_S = 0.1
MOST, MOST_OF_A_SERVICE = 2_000, 500
_PAUSE_S = 3 * SWEEP_S

Clock = Callable[[], float]


@dataclass(slots=True)
class _Lease:
    announced: Announced
    registered: float
    renewed: float
    ends: float
    recent: Recent = field(default_factory=Recent)


class Registry:
    """All that is registered; it changes by calls, and by leases that end.

    ``clock`` tells Unix seconds, ``ticks`` seconds that only go forward. ``version`` grows
    with every change that others have to know of. Until ``settled`` is set, nodes that
    were there before a restart may not have come back yet.
    """

    def __init__(self, clock: Clock, ticks: Clock) -> None:
        self._clock = clock
        self._ticks = ticks
        self._leases: dict[Key, _Lease] = {}
        self._swept: float | None = None
        self._changed = asyncio.Event()
        self.version = 0
        self.settled = asyncio.Event()

    def register(self, announced: Announced) -> None:
        """Take up an instance, or renew its lease. Raises DomainError LIMIT_EXCEEDED."""
        now, known = self._ticks(), self._leases.get(announced.key)
        if known is None:
            self._make_room(announced.key.service)
            known = _Lease(announced, self._clock(), 0.0, 0.0)
            self._leases[announced.key] = known
            self._publish()
        elif known.announced.leads != announced.leads:
            self._publish()
        known.announced, known.renewed = announced, self._clock()
        known.ends = now + LEASE_S
        known.recent.record(now, announced.load)

    def withdraw(self, key: Key) -> None:
        """Forget an instance; nothing happens if it is not known."""
        if self._leases.pop(key, None) is not None:
            self._publish()

    def instances(self) -> Sequence[Registered]:
        """All of them, by service, then by node."""
        return [
            Registered(lease.announced, lease.registered, lease.renewed, lease.recent.rates)
            for _, lease in sorted(self._leases.items())
        ]

    async def later_than(self, version: int) -> int:
        """Wait until something has changed since ``version``, and return what is now."""
        while self.version == version:
            await self._changed.wait()
        return self.version

    async def sweep(self) -> None:
        """Forget what was not renewed, again and again, until cancelled."""
        settle_at = self._ticks() + LEASE_S
        while True:
            self.expire()
            if self._ticks() >= settle_at:
                self.settled.set()
            await asyncio.sleep(SWEEP_S)

    def expire(self) -> None:
        """Forget what was not renewed in time.

        While this process was stopped nobody could renew anything, so that time does not count.
        """
        now = self._ticks()
        pause = now - self._swept if self._swept is not None else 0.0
        self._swept = now
        if pause > _PAUSE_S:
            for lease in self._leases.values():
                lease.ends += pause
        ended = [key for key, lease in self._leases.items() if lease.ends <= now]
        for key in ended:
            self.withdraw(key)

    def _make_room(self, service: str) -> None:
        of_service = Counter(key.service for key in self._leases)[service]
        if len(self._leases) >= MOST:
            raise DomainError(Reason.LIMIT_EXCEEDED, limit=f"{MOST} instances")
        if of_service >= MOST_OF_A_SERVICE:
            raise DomainError(
                Reason.LIMIT_EXCEEDED, limit=f"{MOST_OF_A_SERVICE} instances of a service"
            )

    def _publish(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
