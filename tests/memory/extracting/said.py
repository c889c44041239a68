"""What somebody says, for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime

from antiphon_server.memory.extracting import Candidate, Utterance, extract

SUBJECT = "users/user_0000000ann"
WEDNESDAY_US = int(datetime(2024, 5, 15, 12, tzinfo=UTC).timestamp()) * 1_000_000


def found(text: str, language: str = "en", author: str = SUBJECT) -> Sequence[Candidate]:
    """What rules find in it; Anna said it on Wednesday, 15 May 2024."""
    return extract(Utterance(text, author, "Anna", WEDNESDAY_US, language))


def texts(text: str, language: str = "en") -> list[str]:
    """The facts in words."""
    return [it.text for it in found(text, language)]


def one(text: str, language: str = "en") -> Candidate:
    """The only fact."""
    (only,) = found(text, language)
    return only
