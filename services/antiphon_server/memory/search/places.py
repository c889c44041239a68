"""How far conversations are in the index, and who holds how much of it."""

from collections import Counter
from dataclasses import dataclass


@dataclass(slots=True)
class Position:
    """How far a conversation is in the index; ``whole`` once its log's end was reached.

    ``asker`` is who used it last, ``is_cut`` says that its oldest messages had no room. Seconds
    are those of the library's clock.
    """

    cursor: str
    asker: str
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
