"""Something that was recalled, and why it is here."""

from collections.abc import Mapping
from dataclasses import dataclass

from antiphon_server.memory.index import IMPORTANCE
from antiphon_server.memory.model import MessageHit
from antiphon_server.memory.remembered import Memory

_REASONS: Mapping[str, str] = {
    "words": "matches the words",
    "meaning": "means something alike",
    "neighbours": "near what matches",
    "speaker": "from or about somebody who is named",
    "session": "of a time when much matches",
    "date": "of the time that is asked for",
    "question": "answers what was asked then",
    IMPORTANCE: "nothing in particular was asked for: what matters most",
    "external": "found by the external memory",
}


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message or a memory, and why it is here."""

    item: MessageHit | Memory
    score: float
    parts: Mapping[str, float]
    tokens: int

    @property
    def reason(self) -> str:
        """In English, what counts most first."""
        ranked = sorted(self.parts.items(), key=lambda it: -it[1])
        told = [
            _REASONS[name]
            for name, score in ranked
            if name in _REASONS and (score > 0 or name == IMPORTANCE)
        ]
        return "; ".join(dict.fromkeys(told))


def by_score(it: Recalled) -> tuple[float, float, int]:
    """The best first; of equal ones what matters most, and of these memories the newest."""
    if not isinstance(it.item, Memory):
        return -it.score, 0.0, 0
    return -it.score, -it.item.importance, -it.item.create_us
