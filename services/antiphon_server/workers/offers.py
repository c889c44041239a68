"""What workers say of their handlers: what many of them say is in memory once."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
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

    They are workers that :meth:`Offers.once` has seen. Of one ``alone`` they count by themselves:
    gRPC keeps the request of a call that it serves, and a hello with it.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._all = _Bytes()
        self._of_user: dict[str, _Bytes] = {}

    def add(self, worker: Introduction, *, alone: bool = False) -> None:
        """Count a worker's. Raises DomainError LIMIT_EXCEEDED, and then they are not."""
        its = self._of_user.setdefault(worker.user_id, _Bytes())
        examples = _examples(worker, alone)
        self._all.add(examples)
        its.add(examples)
        for now, most, whose in (
            (its.bytes, self._limits.examples_of_user, "user"),
            (self._all.bytes, self._limits.examples_of_server, "server"),
        ):
            if now > most:
                self.drop(worker, alone=alone)
                limit = f"{most >> 20} MiB of examples a {whose}"
                raise DomainError(Reason.LIMIT_EXCEEDED, limit=limit)

    def drop(self, worker: Introduction, *, alone: bool = False) -> None:
        """It is here no more."""
        its = self._of_user.setdefault(worker.user_id, _Bytes())
        examples = _examples(worker, alone)
        self._all.drop(examples)
        its.drop(examples)
        if not its.bytes:
            del self._of_user[worker.user_id]


def _examples(worker: Introduction, alone: bool) -> Mapping[Hashable, Sequence[str]]:
    """Those of its handlers, by what they are counted as."""
    offers = [it for it in worker.offers if it.examples]
    return {(worker.worker_id, it) if alone else it: it.examples for it in offers}


class _Bytes:
    def __init__(self) -> None:
        self.bytes = 0
        self._times: Counter[Hashable] = Counter()
        self._sizes: dict[Hashable, int] = {}

    def add(self, examples: Mapping[Hashable, Sequence[str]]) -> None:
        for counted_as, texts in examples.items():
            self._times[counted_as] += 1
            if counted_as not in self._sizes:  # looked at once: it grows when it is encoded
                self._sizes[counted_as] = sum(map(getsizeof, texts))
                self.bytes += self._sizes[counted_as]

    def drop(self, examples: Mapping[Hashable, Sequence[str]]) -> None:
        for counted_as in examples:
            self._times[counted_as] -= 1
            if not self._times[counted_as]:
                del self._times[counted_as]
                self.bytes -= self._sizes.pop(counted_as)
