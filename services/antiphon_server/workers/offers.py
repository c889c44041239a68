"""What workers say of their handlers: what many of them say is in memory once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from sys import getsizeof
from weakref import WeakKeyDictionary, ref

from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.workers.frames import Introduction, Offer
from antiphon_server.workers.limits import WorkerLimits


class Offers:
    """All that are there, each for as long as any worker has it."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Offer, ref[Offer]] = WeakKeyDictionary()

    def once(self, worker: Introduction) -> Introduction:
        """The same worker, with the very offers of others that say the same."""
        return replace(worker, offers=tuple(map(self._once, worker.offers)))

    def _once(self, offer: Offer) -> Offer:
        known = self._known.get(offer)
        there = known() if known is not None else None
        if there is None:
            self._known[offer] = ref(offer)
        return there or offer


class ExampleBytes:
    """What the examples of workers that are here take in memory; what many say counts once.

    They are workers that :meth:`Offers.once` has seen.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._all = _Bytes()
        self._of_user: dict[str, _Bytes] = {}

    def add(self, worker: Introduction) -> None:
        """Count a worker's. Raises DomainError LIMIT_EXCEEDED, and then they are not."""
        its = self._of_user.setdefault(worker.user_id, _Bytes())
        self._all.add(worker.offers)
        its.add(worker.offers)
        for now, most, whose in (
            (its.bytes, self._limits.examples_of_user, "user"),
            (self._all.bytes, self._limits.examples_of_server, "server"),
        ):
            if now > most:
                self.drop(worker)
                limit = f"{most >> 20} MiB of examples a {whose}"
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=limit)

    def drop(self, worker: Introduction) -> None:
        """It is here no more."""
        its = self._of_user.setdefault(worker.user_id, _Bytes())
        self._all.drop(worker.offers)
        its.drop(worker.offers)
        if not its.bytes:
            del self._of_user[worker.user_id]


class _Bytes:
    def __init__(self) -> None:
        self.bytes = 0
        self._times: Counter[Offer] = Counter()
        self._sizes: dict[Offer, int] = {}

    def add(self, offers: Iterable[Offer]) -> None:
        for it in offers:
            if it.examples:
                self._times[it] += 1
                if it not in self._sizes:  # looked at once: it grows when it is encoded
                    self._sizes[it] = sum(map(getsizeof, it.examples))
                    self.bytes += self._sizes[it]

    def drop(self, offers: Iterable[Offer]) -> None:
        for it in offers:
            if it.examples:
                self._times[it] -= 1
                if not self._times[it]:
                    del self._times[it]
                    self.bytes -= self._sizes.pop(it)
