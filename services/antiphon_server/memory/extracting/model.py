"""What is read, and what is found in it. Times are microseconds since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Kind(Enum):
    """What sort of thing a fact is; a note is what somebody asked to have remembered."""

    FACT = "fact"
    PREFERENCE = "preference"
    EVENT = "event"
    NOTE = "note"


class Hold(Enum):
    """Whether it holds, was so once, or was said not to be so."""

    HOLDS = "holds"
    OVER = "over"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that somebody said.

    ``subject`` is who said it (`users/…`), ``name`` what that person is called; ``language`` is
    the one to take where the text does not tell (`en`, `de`, `fr`, `es`).
    """

    text: str
    subject: str
    name: str
    time_us: int
    language: str = "en"

    def shortened(self, characters: int) -> "Utterance":
        """Its beginning."""
        return self if len(self.text) <= characters else replace(self, text=self.text[:characters])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact that somebody said of themselves.

    ``text`` says it in the third person, in the language that it was said in; a note's as it was
    said. ``topic`` is what it
    is about: of one subject and topic one fact holds at a time (`lives_in`, or `likes/coffee`
    where there may be many). ``value`` is what it says of it, in a form to compare. ``start`` and
    ``end`` are its place in the text that it was found in, in code points. Of ``valid_from_us``
    and ``valid_until_us`` those that were not said are 0; ``confidence`` is 0 to 1. ``by_model``
    says that a model found it, not rules.
    """

    kind: Kind
    slot: str
    topic: str
    value: str
    hold: Hold
    text: str
    subject: str
    entities: Sequence[str]
    valid_from_us: int
    valid_until_us: int
    said_us: int
    start: int
    end: int
    confidence: float
    by_model: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The same in all that say the same."""
        return self.subject, self.topic, self.value, self.hold.value
