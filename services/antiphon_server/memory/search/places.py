"""How far conversations are in the index, who holds how much of it, and what had no room in it."""

from collections import Counter
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


class Holdings:
    """What the conversations that each has used last hold of the index, in bytes."""

    def __init__(self) -> None:
        self._of = Counter[str]()

    def charge(self, place: Position, asker: str, size_bytes: int) -> None:
        """Let somebody hold the place, which has that size; with no size nobody does."""
        for who, more in ((place.asker, -place.size_bytes), (asker, size_bytes)):
            self._of[who] += more
            if not self._of[who]:
                del self._of[who]
        place.asker, place.size_bytes = asker, size_bytes

    def who_holds_much_more(self, asker: str) -> str:
        """Who holds most, if that is more than twice what this one does; or nobody, ""."""
        ((most, size_bytes),) = self._of.most_common(1) or [("", 0)]
        return most if size_bytes > 2 * self._of[asker] else ""


class GivenUp:
    """What had no room beside what is in use, so that it is not read in vain again and again."""

    def __init__(self, most: int) -> None:
        self._ranks = LruCache[ConversationId, tuple[int, float]](most)

    def note(self, conversation_id: ConversationId, rank: int, now_s: float) -> None:
        """It was given up, of this rank."""
        self._ranks.put(conversation_id, (rank, now_s))

    def keeps(
        self, conversation_id: ConversationId, rank: int, now_s: float, *, full: bool
    ) -> bool:
        """Whether it would be given up again: soon after, or while the index is ``full``.

        What has come to the front meanwhile, because something was said there, is read.
        """
        found = self._ranks.get(conversation_id)
        if found is None:
            return False
        given_up_rank, at_s = found
        return rank >= given_up_rank and (full or now_s - at_s < IN_USE_S)
