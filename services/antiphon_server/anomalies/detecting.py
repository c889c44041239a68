"""The detectors of a parent, and what all detectors together remember."""

from collections.abc import Iterator, Sequence

from antiphon_server.anomalies.checking import broken
from antiphon_server.anomalies.memories import MEMORIES, Memory
from antiphon_server.anomalies.model import Detector, Found, Key, Sign, Signal
from antiphon_server.runtime.cache.lru import LruCache

MOST_REMEMBERED = 50_000
"""Of so many subjects of detectors something is remembered; who was seen longest ago goes first."""
FORGIVEN_S = 10.0
"""So long it is known whose memories were forgotten: what was said before may be told later."""


class Memories:
    """What detectors remember, by whom: it outlives their revisions."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._memories: LruCache[Key, Memory] = LruCache(most)
        self._forgiven: dict[Key, float] = {}

    def of(self, key: Key, kind: type[Memory]) -> Memory:
        """What is remembered there; one that another kind has left begins anew."""
        memory = self._memories.get(key)
        if type(memory) is not kind:
            memory = kind()
            self._memories.put(key, memory)
        return memory

    def forget(self, key: Key, now: float) -> None:
        """Begin anew there, ``now`` in Unix seconds."""
        self._memories.pop(key)
        kept = {it: at for it, at in self._forgiven.items() if now < at + FORGIVEN_S}
        self._forgiven = {**kept, key: now}

    def has_forgiven(self, key: Key, signal: Signal) -> bool:
        """Whether that was before it was forgotten there: it comes late, and counts no more."""
        return bool(self._forgiven) and signal.at <= self._forgiven.get(key, 0.0)

    def __len__(self) -> int:
        """Of how many something is remembered."""
        return len(self._memories)


class Detecting:
    """All detectors of a parent at a revision, ready to see.

    Those of a newer server that this one doesn't know see nothing. ``broken`` says why they could
    not be set: a name twice, too many, a subject that its kind does not know.
    """

    def __init__(self, parent: str, revision: int, detectors: Sequence[Detector]) -> None:
        self.broken = broken(parent, detectors)
        self.parent, self.revision = parent, revision
        self._by_sign: dict[Sign, list[tuple[Detector, type[Memory]]]] = {it: [] for it in Sign}
        for each in detectors:
            if each.known and not each.disabled:
                sign, memory = MEMORIES[type(each.kind)]
                self._by_sign[sign].append((each, memory))

    def of(self, sign: Sign) -> list[Detector]:
        """Those that see such signals."""
        return [it for it, _ in self._by_sign[sign]]

    def see(
        self, memories: Memories, signal: Signal, only: Detector | None = None
    ) -> Iterator[tuple[Key, Detector, Found]]:
        """What is out of the ordinary in the eyes of which of them, or of one alone."""
        for it, memory in self._by_sign[signal.sign]:
            subject = signal.subject(it.about)
            if subject and only in (None, it):
                key = Key(self.parent, it.name, subject)
                if memories.has_forgiven(key, signal):
                    continue
                found = memories.of(key, memory).see(it, signal)
                if found.score >= it.threshold:
                    yield key, it, found
