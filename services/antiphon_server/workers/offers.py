"""What workers say of their handlers: what many of them say is in memory once."""

from collections.abc import Iterable
from dataclasses import replace
from sys import getsizeof
from weakref import WeakKeyDictionary, ref

from antiphon_server.workers.frames import Introduction, Offer


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


def bytes_of_examples(workers: Iterable[Introduction]) -> int:
    """What the examples of these take in memory; of workers that :meth:`Offers.once` has seen."""
    offers = {id(it): it for worker in workers for it in worker.offers if it.examples}
    return sum(getsizeof(text) for it in offers.values() for text in it.examples)
