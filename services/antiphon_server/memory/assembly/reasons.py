"""What of that which was found matters enough for a prompt, and why, in words."""

from collections.abc import Mapping, Sequence

from antiphon_server.memory.index import IMPORTANCE, Hit

LEAST = 0.4
"""Of the best one's score: what has less matters to something else."""

_REASONS = {
    "words": "it has words of what was asked",
    "meaning": "it means something like it",
    "neighbours": "it stands beside what has words of it",
    "speaker": "who said it is named",
    "session": "much that was said then has to do with it",
    "date": "it is of the time that is asked for",
    "question": "it answers what was asked then",
    IMPORTANCE: "nothing in particular was asked for: what matters most",
}


def reason_of(parts: Mapping[str, float]) -> str:
    """By the part of its score that counts most."""
    telling = [name for name in parts if name in _REASONS]
    return _REASONS[max(telling, key=lambda name: parts[name], default="words")]


def relevance_of(hit: Hit) -> float:
    """By how much it matters to what is asked; how much it says has nothing to do with that."""
    return hit.score - hit.parts.get("length", 0.0)


def relevant(hits: Sequence[Hit]) -> Sequence[Hit]:
    """Those that matter about as much as the best one."""
    least = LEAST * max(map(relevance_of, hits), default=0.0)
    return [it for it in hits if relevance_of(it) >= least and relevance_of(it) > 0]
