"""Something that was recalled, and why it is here."""

from collections.abc import Mapping
from dataclasses import dataclass

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
        told = [_REASONS[name] for name, score in ranked if score > 0 and name in _REASONS]
        return "; ".join(dict.fromkeys(told))


def by_score(it: Recalled) -> tuple[float, float]:
    """The best first; of equal ones what matters most."""
    importance = it.item.importance if isinstance(it.item, Memory) else 0.0
    return -it.score, -importance
