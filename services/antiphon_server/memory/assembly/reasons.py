"""Why something that was found stands in a prompt, in words."""

from collections.abc import Mapping

_REASONS = {
    "words": "it has words of what was asked",
    "meaning": "it means something like it",
    "neighbours": "it stands beside what has words of it",
    "speaker": "who said it is named",
    "session": "much that was said then has to do with it",
    "date": "it is of the time that is asked for",
    "question": "it answers what was asked then",
}


def reason_of(parts: Mapping[str, float]) -> str:
    """By the part of its score that counts most."""
    telling = [name for name in parts if name in _REASONS]
    return _REASONS[max(telling, key=lambda name: parts[name], default="words")]
