"""How far conversations are in the index, who holds how much of it, and what has no room in it."""

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from antiphon_server.memory.model import ConversationId
from antiphon_server.runtime.cache.lru import LruCache

IN_USE_S = 60.0
"""What was searched so short a time ago is not given up for what else is wanted."""


@dataclass(slots=True)
class Position:
    """How far a conversation is in the index; ``whole`` once its log's end was reached.

    ``asker`` is who used it last, ``rank`` its place among what they asked for, 0 the first.
    ``is_cut`` says that its oldest messages had no room. Seconds are those of the library's clock.
    """

    cursor: str
    asker: str
    rank: int = 0
    whole: bool = False
    used_s: float = 0.0
    size_bytes: int = 0
    is_cut: bool = False


class Places:
    """The positions of conversations in the index, and which of them goes where it is full.

    What was used longest ago goes first. Where all is in use, it is what matters least to who holds
    much more than others, or else to who asks: what they asked for last. That is not read in vain
    again and again: only when there is room, or when it has come to the front of what is asked
    for, as where something was said. Of what is given up ``most`` are remembered.
    """

    def __init__(self, most: int) -> None:
        self._positions: OrderedDict[ConversationId, Position] = OrderedDict()  # last used last
        self._bytes_of = Counter[str]()
        self._given_up = LruCache[ConversationId, tuple[int, float]](most)

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[ConversationId]:
        return iter(self._positions)

    def __contains__(self, conversation_id: ConversationId) -> bool:
        return conversation_id in self._positions

    def get(self, conversation_id: ConversationId) -> Position | None:
        """Where it is, if it is in the index."""
        return self._positions.get(conversation_id)

    def whole(self, conversation_id: ConversationId) -> Position | None:
        """The same, if all of it is."""
        place = self._positions.get(conversation_id)
        return place if place is not None and place.whole else None

    def add(self, conversation_id: ConversationId, place: Position) -> None:
        """It is in the index from now on."""
        self._positions[conversation_id] = place

    def remove(self, conversation_id: ConversationId) -> None:
        """It is not any more."""
        place = self._positions.pop(conversation_id, None)
        if place is not None:
            self.charge(place, place.asker, 0)

    def use(
        self,
        conversation_ids: Collection[ConversationId],
        ranks: Mapping[ConversationId, int],
        asker: str,
        now_s: float,
    ) -> None:
        """These were of use to somebody, the first of them is the last to be given up."""
        for it in reversed(list(conversation_ids)):
            place = self._positions[it]
            place.used_s, place.rank = now_s, ranks[it]
            if asker and asker != place.asker:
                self.charge(place, asker, place.size_bytes)
            self._positions.move_to_end(it)

    def charge(self, place: Position, asker: str, size_bytes: int) -> None:
        """Let somebody hold the place, which has that size; with no size nobody does."""
        for who, more in ((place.asker, -place.size_bytes), (asker, size_bytes)):
            self._bytes_of[who] += more
            if not self._bytes_of[who]:
                del self._bytes_of[who]
        place.asker, place.size_bytes = asker, size_bytes

    def count_cut(self, conversation_ids: Iterable[ConversationId]) -> int:
        """Of how many the oldest messages had no room."""
        return sum(1 for it in conversation_ids if self._positions[it].is_cut)

    def in_use(self, conversation_id: ConversationId, now_s: float) -> bool:
        """Whether it was searched a short time ago."""
        return now_s - self._positions[conversation_id].used_s < IN_USE_S

    def of_least_use(self, asker: str) -> ConversationId | None:
        """What was asked for last by who holds much more than this one, or else by this one."""
        most = self._who_holds_much_more(asker) or asker
        theirs = [it for it, place in self._positions.items() if place.asker == most]
        return max(theirs, key=lambda it: self._positions[it].rank, default=None)

    def note_without_room(self, conversation_id: ConversationId, now_s: float) -> None:
        """It is given up, though it is in use."""
        self._given_up.put(conversation_id, (self._positions[conversation_id].rank, now_s))

    def without_room(
        self, ranked: Iterable[tuple[ConversationId, int]], now_s: float, *, full: bool
    ) -> set[ConversationId]:
        """Those that were given up, and would be again if they were read now.

        Where the index is ``full`` that lasts while all that is in it is in use.
        """
        oldest = next(iter(self._positions), None)
        lasts = full and oldest is not None and self.in_use(oldest, now_s)
        return {
            it
            for it, rank in ranked
            if it not in self._positions and self._has_no_room(it, rank, now_s, lasts=lasts)
        }

    def _has_no_room(
        self, conversation_id: ConversationId, rank: int, now_s: float, *, lasts: bool
    ) -> bool:
        found = self._given_up.get(conversation_id)
        if found is None:
            return False
        given_up_rank, at_s = found
        return rank >= given_up_rank and (lasts or now_s - at_s < IN_USE_S)

    def _who_holds_much_more(self, asker: str) -> str:
        """Who holds most, if that is more than twice what this one does; or nobody, ""."""
        ((most, size_bytes),) = self._bytes_of.most_common(1) or [("", 0)]
        return most if size_bytes > 2 * self._bytes_of[asker] else ""
